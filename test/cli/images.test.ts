import { existsSync, readFileSync } from "node:fs";
import { decode } from "fast-png";
import { beforeAll, describe, expect, test } from "vitest";
import { loadModel } from "../../src/files/index.ts";
import { idx } from "../images/files.ts";
import { workplace } from "./command.ts";
import { COUNT, image, writeImages } from "./smallImages.ts";

const place = workplace();
const { path, write, failure, json, outputs: pushforward } = place;

const TRAINING = "--flow glow --levels 1 --transforms 1 --hidden 4 --batch-size 16 --threads 1".split(" ");

let data: ReturnType<typeof writeImages>;
const models = { plain: "", classes: "" };
/** The report of the training with classes. */
let report = "";

const fitWithFlips = (model: string): string[] => [
  ...["fit", data.images, ...TRAINING],
  ...["--flips", "--epochs", "2", "--draws", "2", "-o", model],
];

beforeAll(async () => {
  data = writeImages(place);
  models.plain = path("plain.safetensors");
  models.classes = path("classes.safetensors");
  ({ out: report } = await pushforward(
    ...["fit", data.images, data.labels, "--classes", ...TRAINING, "--epochs", "1", "-o", models.classes],
  ));
});

describe("fit", () => {
  test("learns images, and reports bits per dimension beside those of independent pixels", async () => {
    const { out, err } = await pushforward(...fitWithFlips(models.plain));
    const text = out.replace(/\d+\.\d{3}/g, "#.###").replace(/in 0:\d\d/, "in 0:00");
    expect(text).toMatchInlineSnapshot(`
      "Learned 40 images of 4 x 4 x 1 in 0:00 (glow, 2 epochs, the best is epoch 2; --epochs reached).
      Images: 36 for training and as many reflected, 4 for validation.

      Bits per dimension of 4 validation images (they also decided when training ended; fewer are better):
        this model           #.### ± #.###
        independent pixels   #.### ± #.###   (a histogram of each pixel, from the training images)
      The model needs #.### ± #.### bits per dimension more than independent pixels.

      Model     plain.safetensors

      Next:
        pushforward sample plain.safetensors -n 64 -o samples.png                                   new images, in one picture
        pushforward score plain.safetensors images.idx -o scored.csv   bits per dimension of each image
        pushforward evaluate plain.safetensors OTHER                                                bits per dimension of other images
      "
    `);
    expect(err).toMatch(
      /glow, epoch 1: training \d+\.\d{3}, validation \d+\.\d{3}, best \d+\.\d{3} bits per dimension/,
    );
  });

  test("suggests to score the images with their labels", () => {
    // DATA stands for long paths.
    expect(report).toMatch(/score classes\.safetensors (images\.idx labels\.idx|DATA) -o scored\.csv/);
  });

  test("draws samples after the epochs 1, 2, 4, of which the last are those of the model", async () => {
    const model = path("growing.safetensors");
    const words = [...TRAINING, "--epochs", "4", "--learning-rate", "0.01"];
    await pushforward("fit", data.images, ...words, "-o", model, "--pictures", path("growing"));
    const drawn = decode(readFileSync(path("growing/training-samples.png")));
    await pushforward("sample", model, "-n", "10", "-o", path("ten.png"));
    const scale = (drawn.height - 2) / 3 - 2;
    const line = (picture: typeof drawn, side: number, columns: number, first: number) =>
      Array.from({ length: 160 }, (_, k) => {
        const [image, pixel] = [first + Math.floor(k / 16), k % 16];
        const [top, left] = [Math.floor(image / columns), image % columns].map((at) => 2 + at * (side + 2));
        const [y, x] = [Math.floor(pixel / 4), pixel % 4].map((at) => (at * side) / 4);
        return picture.data[(top! + y!) * picture.width + left! + x!];
      });
    const ten = decode(readFileSync(path("ten.png")));
    // The picture of ten samples has three lines of four images.
    const last = line(drawn, scale, 10, 20);
    expect(last).toEqual(line(ten, (ten.height - 2) / 3 - 2, 4, 0));
    expect(last).not.toEqual(line(drawn, scale, 10, 0));
  });

  test("writes the same model if it is resumed after the first epoch", async () => {
    const whole = readFileSync(models.plain);
    const stopped = path("stopped.safetensors");
    const words = fitWithFlips(stopped);
    const controller = new AbortController();
    const running = place.pushforward(words, { interrupted: controller.signal });
    const waiting = setInterval(() => existsSync(`${stopped}.checkpoint`) && controller.abort(), 1);
    const { code } = await running;
    clearInterval(waiting);
    expect(code === 130 || code === 0).toBe(true);
    if (code === 130) await pushforward(...words, "--resume");
    expect(readFileSync(stopped).equals(whole)).toBe(true);
  });

  test("prints events with bits per dimension by --json, also for a directory of pictures and tarflow", async () => {
    const tarflow = "--flow tarflow --patch 2 --transforms 1 --hidden 8 --epochs 1 --threads 1".split(" ");
    const events = await json(
      ...["fit", data.directory, "--classes", ...tarflow, "--validation-fraction", "0.5"],
      ...["-o", path("t.safetensors"), "--pictures", path("pictures")],
    );
    const [epoch] = events as Record<string, number>[];
    expect(epoch).toMatchObject({ event: "epoch", flow: "tarflow" });
    expect(epoch!.validationBitsPerDimension).toBeCloseTo(
      -epoch!.validationLogDensity! / (16 * Math.LN2),
      10,
    );
    const done = events.at(-1)!;
    const { meanLogDensity, bitsPerDimension } = done.heldOut as Record<string, number>;
    expect(bitsPerDimension).toBeCloseTo(-meanLogDensity! / (16 * Math.LN2), 10);
    expect(done).toMatchObject({ image: [4, 4, 1], classes: ["left", "right"] });
    const names = ["training-samples", "samples", "training"];
    expect(done.pictures).toEqual(names.map((name) => `pictures/${name}.png`));
  });

  test.each([
    ["glow", "spline", "rationalQuadraticSpline"],
    ["realnvp", "additive", "additive"],
  ])(
    "learns a %s with %s couplings and variational dequantization, which is scored and sampled",
    async (flow, coupling, transform) => {
      const model = path(`${flow}-${coupling}.safetensors`);
      const words = ["--flow", flow, "--coupling", coupling, "--dequantization", "variational"];
      const training = "--levels 1 --transforms 1 --hidden 4 --batch-size 16 --epochs 1 --threads 1".split(
        " ",
      );
      await pushforward("fit", data.images, ...words, ...training, "-o", model);
      const description = JSON.stringify((await loadModel(model)).flow.describe());
      expect(description).toContain(`"transform":{"type":"${transform}"`);
      expect(description).toContain('"dequantizer"');
      const [result] = await json("evaluate", model, data.directory);
      expect(result!.bitsPerDimension).toBeGreaterThan(0);
      await pushforward("sample", model, "-n", "2", "-o", path("two.png"));
      expect(decode(readFileSync(path("two.png"))).channels).toBe(1);
    },
  );

  test("reads a Parquet file with a column of pictures as images, unless options name columns", async () => {
    const { DuckDBInstance } = await import("@duckdb/node-api");
    const file = path("pictures.parquet");
    const pictures = `SELECT content AS image, row_number() OVER () AS number FROM read_blob('${data.directory}/*/*.png')`;
    const connection = await (await DuckDBInstance.create()).connect();
    await connection.run(`COPY (${pictures}) TO '${file}'`);
    const model = path("parquet.safetensors");
    const { out } = await pushforward("fit", file, ...TRAINING, "--epochs", "1", "-o", model);
    expect(out).toMatch(/^Learned 4 images of 4 x 4 x 1 /);
    const table = await failure("fit", file, "--columns", "number", "--flips", "-o", model);
    expect(table).toMatch(/--flips is for images, and DATA is a table/);
  });

  test("refuses options that are not valid for the images or the flow", async () => {
    const fit = (...words: string[]) => failure("fit", ...words, "-o", path("x.safetensors"));
    expect(await fit(data.images, "--flow", "maf")).toMatchInlineSnapshot(`
      "2
      Error: --flow maf cannot learn images: expected one of glow, realnvp, tarflow, image-transformer, vae.
      For example: --flow glow"
    `);
    expect(await fit(data.images, "--columns", "a")).toMatchInlineSnapshot(`
      "2
      Error: --columns is an option for tables, and DATA are images.
      Leave it out."
    `);
    expect(await fit(data.images, "--hidden", "4,4")).toMatchInlineSnapshot(`
      "2
      Error: --hidden has several widths, and DATA are images: expected one width, received 4,4.
      For example: --hidden 64"
    `);
    expect(await fit(data.images, "--patch", "2")).toMatchInlineSnapshot(`
      "2
      Error: --patch cannot be combined with --flow glow.
      It is an option of tarflow."
    `);
    expect(await fit(data.images, "--image", "4by4")).toMatchInlineSnapshot(`
      "2
      Error: --image has an invalid value: expected height, width and channels, received 4by4.
      For example: --image 28x28x1"
    `);
    expect(await fit(data.images, "--image", "2x8")).toMatchInlineSnapshot(`
      "2
      Error: The array images.idx has a wrong shape for images: expected [images, 2, 8, 1], received [40, 4, 4].
      Correct --image, or leave it out if the array has the shape of the images."
    `);
    expect(await fit(data.images, "--classes")).toMatchInlineSnapshot(`
      "2
      Error: The images of images.idx have no classes: expected a file or an array of labels, or a column label.
      Give the labels too, or leave out --classes."
    `);
    expect(await fit(data.images, "--levels", "3")).toMatchInlineSnapshot(`
      "2
      Error: The height and the width of the images are not multiples of 8, which 3 levels of glow need: received 4 x 4 pixels in images.idx.
      Lower --levels, resize or pad the images, or fit images of any size: --flow image-transformer"
    `);
    expect(await fit(data.images, "--flow", "tarflow", "--patch", "3")).toMatchInlineSnapshot(`
      "2
      Error: The height and the width of the images are not multiples of the patch size 3: received 4 x 4 pixels in images.idx.
      Give another --patch, resize or pad the images, or fit images of any size: --flow image-transformer"
    `);
    const twoChannels = write("two-channels.idx", idx([COUNT, 4, 2, 2], new Uint8Array(COUNT * 16)));
    expect(await fit(twoChannels, "--pictures", path("none"))).toMatchInlineSnapshot(`
      "2
      Error: Images with 2 channels cannot be written as pictures: expected one channel, which is gray, or three: red, green and blue.
      In TypeScript, ImageModel.sample returns the pixels of any number of channels."
    `);
    expect(await fit(data.images, "--flow", "tarflow", "--coupling", "spline")).toMatchInlineSnapshot(`
      "2
      Error: --coupling cannot be combined with --flow tarflow.
      It is an option of glow or realnvp."
    `);
    expect(
      await fit(data.images, "--flow", "image-transformer", "--dequantization", "uniform"),
    ).toMatchInlineSnapshot(`
      "2
      Error: --dequantization cannot be combined with --flow image-transformer.
      It is an option of glow, realnvp or tarflow."
    `);
    const table = write("table.csv", "a,b\n1,2\n3,4\n");
    expect(await fit(table, "--flips")).toMatchInlineSnapshot(`
      "2
      Error: --flips is for images, and DATA is a table.
      If its columns are pixels, state the size of the images: --image 28x28x1"
    `);
    expect(await fit(path("nowhere"), "--flips")).toMatch(/There is no file nowhere/);
    expect(await fit(write("text.npy", "not an array\n"), "--flips")).toMatch(/text\.npy cannot be read/);
  });
});

describe("a model of images", () => {
  test("scores each file and evaluates the mean, which agree", async () => {
    const { out } = await pushforward("score", models.plain, data.directory, "-o", "-");
    const [header, ...lines] = out.trim().split("\n");
    expect(header).toBe("file,log_probability,bits_per_dimension");
    const bits = lines.map((line) => Number(line.split(",")[2]));
    expect(lines.map((line) => line.split(",")[0])).toEqual(
      [0, 2, 1, 3].map((n) => `photos/${n % 2 ? "right" : "left"}/${n}.png`),
    );
    const [result] = await json("evaluate", models.plain, data.directory);
    expect(result!.bitsPerDimension).toBeCloseTo(bits.reduce((a, b) => a + b) / 4, 6);
  });

  test("is conditional on classes by their names", async () => {
    const { out } = await pushforward("score", models.classes, data.images, data.labels, "-o", "-");
    expect(
      out
        .split("\n")
        .slice(0, 3)
        .map((line) => line.split(",").slice(0, 2)),
    ).toEqual([
      ["image", "class"],
      ["0", "0"],
      ["1", "1"],
    ]);
    expect(await failure("score", models.classes, data.directory, "-o", "-")).toMatchInlineSnapshot(`
      "2
      Error: The images of photos have the class left: expected one of 0, 1.
      Remove these images: the model has not learned this class."
    `);
    expect(await failure("evaluate", models.classes, data.images)).toMatchInlineSnapshot(`
      "2
      Error: The images of images.idx have no classes, on which the model is conditional: expected a file or an array of labels, or a column label.
      Give the labels too."
    `);
  });

  test("predicts the class of each image, with or without its label", async () => {
    const scored = await pushforward(
      "score",
      models.classes,
      data.images,
      data.labels,
      "--classify",
      "-o",
      "-",
    );
    const [header, ...lines] = scored.out.trim().split("\n");
    expect(header).toBe("image,class,predicted_class,log_probability,bits_per_dimension,p_0,p_1");
    let right = 0;
    for (const line of lines) {
      const [, label, predicted, , , p0, p1] = line.split(",").map(Number);
      expect(p0! + p1!).toBeCloseTo(1, 12);
      expect(predicted).toBe(p1! > p0! ? 1 : 0);
      if (predicted === label) right++;
    }
    const labeled = [models.classes, data.images, data.labels, "--classify"];
    const [result] = await json("evaluate", ...labeled);
    expect(result!.accuracy).toBeCloseTo(right / COUNT, 12);
    const { out } = await pushforward("evaluate", ...labeled);
    expect(out.replace(/\d+\.\d+/g, "#.###")).toMatchInlineSnapshot(`
      "Bits per dimension of 40 images: #.### ± #.### (1 draw of noise each)
      Accuracy of the predicted classes: #.###%
      "
    `);
    const unlabeled = await pushforward("score", models.classes, data.images, "--classify", "-o", "-");
    expect(unlabeled.out.split("\n")[0]).toBe(
      "image,predicted_class,log_probability,bits_per_dimension,p_0,p_1",
    );
    const directory = await pushforward("score", models.classes, data.directory, "--classify", "-o", "-");
    expect(directory.out.split("\n")[1]).toMatch(/^photos\/left\/0\.png,left,[01],/);
  });

  test("predicts classes only if it has learned them", async () => {
    expect(await failure("score", models.plain, data.images, "--classify", "-o", "-")).toMatchInlineSnapshot(`
      "2
      Error: The model has no classes.
      Leave --classify out, or fit a model with --classes."
    `);
    expect(await failure("evaluate", models.classes, data.images, "--classify")).toMatchInlineSnapshot(`
      "2
      Error: The images of images.idx have no classes, on which the model is conditional: expected a file or an array of labels, or a column label.
      Give the labels too."
    `);
  });

  test("draws a picture of all images, or a directory with a file for each", async () => {
    const grid = path("grid.png");
    await pushforward("sample", models.classes, "-n", "6", "-o", grid);
    const picture = decode(readFileSync(grid));
    expect(picture.channels).toBe(1);
    await pushforward(
      ...["sample", models.classes, "-n", "2", "--class", "1", "--temperature", "0.5", "-o", path("drawn")],
    );
    const { width, height, data: drawn } = decode(readFileSync(path("drawn/1/00002.png")));
    expect([width, height, drawn.length]).toEqual([4, 4, 16]);
    expect(await failure("sample", models.classes, "--class", "5", "-o", grid)).toMatchInlineSnapshot(`
      "2
      Error: The model has no class "5": expected one of 0, 1.
      Did you mean 0?"
    `);
    expect(await failure("sample", models.plain, "--class", "1", "-o", grid)).toMatchInlineSnapshot(`
      "2
      Error: The model has no classes.
      Leave --class out, or fit a model with --classes."
    `);
    expect(await failure("sample", models.classes, "--class", "5", "-o", path("not-made"))).toContain(
      "no class",
    );
    expect(existsSync(path("not-made"))).toBe(false);
    expect(await failure("sample", models.plain, "-o", `${data.images}/`)).toMatchInlineSnapshot(`
      "2
      Error: Cannot make the directory images.idx/: a file has this name.
      Choose another name, or remove the file."
    `);
    expect(await failure("sample", models.plain, "-o", path("x.jpg"))).toMatchInlineSnapshot(`
      "2
      Error: Images cannot be written to x.jpg: expected a picture that ends in .png, or a directory.
      For example: -o samples.png, or -o samples/ for a file for each image"
    `);
    expect(await failure("sample", models.plain, "-n", "1e8", "-o", grid)).toMatchInlineSnapshot(`
      "2
      Error: One picture of all images would be too large: expected at most 10,000 images, received 100,000,000.
      Give a directory for a file for each image: -o samples/"
    `);
    expect(await failure("sample", models.plain)).toMatchInlineSnapshot(`
      "2
      Error: Images cannot be written to standard output: expected a picture that ends in .png, or a directory.
      For example: -o samples.png, or -o samples/ for a file for each image"
    `);
    expect(await failure("sample", models.plain, "--given", "a=1", "-o", grid)).toMatchInlineSnapshot(`
      "2
      Error: --given is an option for tables, and the model is one of images.
      Leave it out."
    `);
  });

  test("interpolates between two images, whose reconstructions are exact", async () => {
    const [a, b] = [path("photos/left/0.png"), path("photos/right/1.png")];
    await pushforward("interpolate", models.plain, a, b, "--steps", "3", "-o", path("line.png"));
    const line = decode(readFileSync(path("line.png")));
    const scale = (line.height - 4) / 4;
    const pixel = (left: number, i: number) =>
      line.data[(2 + Math.floor(i / 4) * scale) * line.width + left + (i % 4) * scale];
    const step = 4 * scale + 2;
    for (const [n, left] of [
      [0, 2],
      [1, 2 + 2 * step],
    ] as const)
      expect(Array.from({ length: 16 }, (_, i) => pixel(left, i))).toEqual([...image(n)]);
    expect(
      await failure("interpolate", models.plain, data.directory, a, "-o", path("line.png")),
    ).toMatchInlineSnapshot(`
      "2
      Error: An interpolation needs two images: expected one image in each of the two files, received 5 images.
      Give two PNG or JPEG files."
    `);
    expect(await failure("interpolate", models.classes, a, b, "-o", path("line.png"))).toMatchInlineSnapshot(`
      "2
      Error: The model is conditional on the class of an image.
      Give the class of both images, for example: --class 0"
    `);
    expect(await failure("interpolate", models.plain, a, b, "-o", path("line.jpg"))).toMatchInlineSnapshot(`
      "2
      Error: line.jpg is not the name of a picture: expected a name that ends in .png.
      For example: -o between.png"
    `);
  });

  test("scores at least one image, and is refused by commands for tables", async () => {
    const empty = write("empty.idx", idx([0, 4, 4], new Uint8Array(0)));
    expect(await failure("evaluate", models.plain, empty)).toMatchInlineSnapshot(`
      "2
      Error: empty.idx has no images.
      Give a file or a query with images."
    `);
    expect(await failure("anomalies", models.plain, data.images)).toMatchInlineSnapshot(`
      "2
      Error: plain.safetensors is a model of images, and anomalies is for tables.
      To compute bits per dimension: pushforward evaluate plain.safetensors DATA"
    `);
    for (const words of [
      ["impute", models.plain, data.images, "-o", path("x.csv")],
      ["compare", models.plain, models.plain, data.images],
      ["report", models.classes, data.images],
    ])
      expect(await failure(...words)).toContain(`is a model of images, and ${words[0]} is for tables`);
  });

  test("is exported as images", async () => {
    await pushforward("export", models.plain, "-o", path("exported"));
    const { inputs, outputs } = JSON.parse(readFileSync(path("exported/model.json"), "utf8"))["density.onnx"];
    expect(inputs[0]).toEqual({
      name: "x",
      meaning: "pixels of images [4, 4, 1], which are whole numbers from 0",
      image: [4, 4, 1],
    });
    expect(outputs[0].meaning).toBe("lower bound of the log-probability of the rows");
  });

  test("is inspected as images", async () => {
    const { out } = await pushforward("inspect", models.classes);
    expect(out.split("\n").slice(0, 3).join("\n")).toMatchInlineSnapshot(`
      "model       classes.safetensors
      images      4 x 4 x 1 (height, width, channels), values from 0 to 255
      given       class (0 or 1)"
    `);
    expect(await json("inspect", models.plain)).toMatchObject([{ image: [4, 4, 1] }]);
  });
});
