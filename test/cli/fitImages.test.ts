import { existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { decode } from "fast-png";
import { beforeAll, describe, expect, test } from "vitest";
import { TrainingSamples } from "../../src/cli/pictures.ts";
import { ImageModel } from "../../src/images/model/index.ts";
import { loadModel } from "../../src/open/index.ts";
import { idx } from "../images/files.ts";
import { workplace } from "./command.ts";
import { COUNT, SMALL_GLOW, writeImages } from "./smallImages.ts";

const place = workplace();
const { path, write, failure, json, outputs } = place;

let data: ReturnType<typeof writeImages>;

const fitWithFlips = (model: string): string[] => [
  ...["fit", data.images, ...SMALL_GLOW],
  ...["--flips", "--epochs", "2", "--draws", "2", "-o", model],
];

beforeAll(() => {
  data = writeImages(place);
});

describe("fit", () => {
  test("learns images, and reports bits per dimension beside those of independent pixels", async () => {
    const { out, err } = await outputs(...fitWithFlips(path("plain.safetensors")));
    const text = out.replace(/\d+\.\d{3}/g, "#.###").replace(/in 0:\d\d/, "in 0:00");
    expect(text).toMatchInlineSnapshot(`
      "Learned 40 images of 4 x 4 x 1 in 0:00 (glow, 2 epochs, the best is epoch 2; all epochs done).
      Images: 32 for training and as many reflected, 4 for validation, 4 for the test.

      Bits per dimension of 4 test images (not used in training; lower is better):
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

  test("suggests to score the images with their labels", async () => {
    const { out: report } = await outputs(
      ...["fit", data.images, data.labels, "--classes", ...SMALL_GLOW, "--epochs", "1"],
      ...["-o", path("classes.safetensors")],
    );
    // DATA stands for long paths.
    expect(report).toMatch(/score classes\.safetensors (images\.idx labels\.idx|DATA) -o scored\.csv/);
  });

  test("draws samples after the epochs 1, 2, 4, of which the last are those of the model", async () => {
    const model = path("growing.safetensors");
    const words = [...SMALL_GLOW, "--epochs", "4", "--learning-rate", "0.01"];
    await outputs("fit", data.images, ...words, "-o", model, "--pictures", path("growing"));
    const drawn = decode(readFileSync(path("growing/training-samples.png")));
    await outputs("sample", model, "-n", "10", "-o", path("ten.png"));
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

  test("keeps the lines of samples of the epochs before a checkpoint", async () => {
    const model = ImageModel.from(await loadModel(path("growing.safetensors")));
    const values = { seed: 0, threads: 1, provider: undefined };
    const picture = async (name: string, runs: readonly (readonly number[])[]) => {
      mkdirSync(path(name));
      for (const epochs of runs) {
        const samples = new TrainingSamples(path(name), model, values);
        for (const epoch of epochs) await samples.onEpoch(epoch);
      }
      return readFileSync(path(`${name}/training-samples.png`));
    };
    const whole = await picture("whole", [[1, 2, 3, 4]]);
    expect(
      await picture("resumed", [
        [1, 2],
        [3, 4],
      ]),
    ).toEqual(whole);
    // The process ended after line 2 was drawn, and before the checkpoint of its epoch.
    expect(
      await picture("again", [
        [1, 2],
        [2, 3, 4],
      ]),
    ).toEqual(whole);
    expect(
      (
        await picture("new", [
          [1, 2, 4],
          [1, 2],
        ])
      ).length,
    ).toBeLessThan(whole.length);
    await model.release();
  });

  test("refuses images that are too large to train on", async () => {
    const large = write("large.idx", idx([2, 2100, 2100], new Uint8Array(2 * 2100 * 2100)));
    expect(
      await failure("fit", large, ...SMALL_GLOW, "-o", path("large.safetensors")),
    ).toMatchInlineSnapshot(`
      "2
      Error: The images of large.idx are too large: expected at most 4,194,304 numbers for an image: height x width x channels, received 2100 x 2100 x 1.
      Resize copies of them, for example by ImageMagick: mkdir small && magick mogrify -path small -resize 64x64! photos/*.jpg"
    `);
  });

  test("writes the same model if it is resumed after the first epoch", async () => {
    const whole = readFileSync(path("plain.safetensors"));
    const stopped = path("stopped.safetensors");
    const words = fitWithFlips(stopped);
    const controller = new AbortController();
    const running = place.pushforward(words, { interrupted: controller.signal });
    const waiting = setInterval(() => existsSync(`${stopped}.checkpoint`) && controller.abort(), 1);
    const { code } = await running;
    clearInterval(waiting);
    expect(code === 130 || code === 0).toBe(true);
    if (code === 130) await outputs(...words, "--resume");
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
      await outputs("fit", data.images, ...words, ...training, "-o", model);
      const description = JSON.stringify((await loadModel(model)).flow.describe());
      expect(description).toContain(`"transform":{"type":"${transform}"`);
      expect(description).toContain('"dequantizer"');
      const [result] = await json("evaluate", model, data.directory);
      expect(result!.bitsPerDimension).toBeGreaterThan(0);
      await outputs("sample", model, "-n", "2", "-o", path("two.png"));
      expect(decode(readFileSync(path("two.png"))).channels).toBe(1);
    },
  );

  test("learns NICE with classes, which is scored and sampled", async () => {
    const model = path("nice.safetensors");
    const words = "--flow nice --classes --transforms 2 --hidden 8 --epochs 1 --threads 1".split(" ");
    const gif = write("photos/left/other.gif", "");
    const fitted = ["fit", data.directory, ...words, "--validation-fraction", "0.5", "-o", model];
    for (const command of [fitted, ["score", model, data.directory, "-o", path("nice.csv")]])
      expect((await outputs(...command)).err).toContain(
        "Warning: 1 picture in another format was not read: photos/left/other.gif\n",
      );
    rmSync(gif);
    const { distribution } = (await loadModel(model)).flow.describe().base as unknown as {
      distribution: { bijection: { bijections: { type: string }[] } };
    };
    const { bijection } = distribution;
    const types = bijection.bijections.map(({ type }) => type);
    expect(types).toEqual(["diagonalScaling", "coupling", "coupling", "perPixel"]);
    expect(JSON.stringify(bijection)).toContain('"hidden":[8,8,8,8,8]');
    const [result] = await json("evaluate", model, data.directory);
    expect(result!.bitsPerDimension).toBeGreaterThan(0);
    await outputs("sample", model, "-n", "2", "--class", "left", "-o", path("left.png"));
    expect(decode(readFileSync(path("left.png"))).channels).toBe(1);
    expect(await failure("fit", data.images, "--flow", "nice", "--levels", "1", "-o", model)).toMatch(
      "--levels cannot be combined with --flow nice",
    );
  });

  test("reads a Parquet file with a column of pictures as images, unless options name columns", async () => {
    const { DuckDBInstance } = await import("@duckdb/node-api");
    const file = path("pictures.parquet");
    const pictures = `SELECT content AS image, row_number() OVER () AS number FROM read_blob('${data.directory}/*/*.png')`;
    const connection = await (await DuckDBInstance.create()).connect();
    await connection.run(`COPY (${pictures}) TO '${file}'`);
    const model = path("parquet.safetensors");
    const { out } = await outputs("fit", file, ...SMALL_GLOW, "--epochs", "1", "-o", model);
    expect(out).toMatch(/^Learned 4 images of 4 x 4 x 1 /);
    const table = await failure("fit", file, "--columns", "number", "--flips", "-o", model);
    expect(table).toMatch(/--flips is for images, and DATA is a table/);
    const byFile = await failure("fit", file, "--schema", write("kinds.json", "[]"), "--flips", "-o", model);
    expect(byFile).toBe(table);
  });

  test("refuses options that are not valid for the images or the flow", async () => {
    const fit = (...words: string[]) => failure("fit", ...words, "-o", path("x.safetensors"));
    expect(await fit(data.images, "--flow", "maf")).toMatchInlineSnapshot(`
      "2
      Error: --flow maf cannot learn images: expected one of glow, realnvp, nice, tarflow, image-transformer, vae.
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
      Error: images.idx has a wrong shape for images: expected [images, 2, 8, 1], received [40, 4, 4].
      Correct --image, or leave it out if the array has the shape of the images."
    `);
    expect(await fit(data.images, "--classes")).toMatchInlineSnapshot(`
      "2
      Error: The images of images.idx have no classes: expected a file or an array of labels, or a column named label or class.
      Give the labels too, or learn without classes."
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
    expect(await fit(data.images, "--flow", "realnvp")).toMatchInlineSnapshot(`
      "2
      Error: The images of images.idx are too small for realnvp: expected more than one pixel after 2 levels, received 4 x 4 pixels.
      Lower --levels, for example: --levels 1"
    `);
    const onePixel = write(
      "one-pixel.idx",
      idx(
        [40, 1, 1],
        new Uint8Array(40).map((_, i) => i),
      ),
    );
    expect(await fit(onePixel, "--flow", "nice")).toMatchInlineSnapshot(`
      "2
      Error: The images of one-pixel.idx are too small for nice: expected at least two pixels, of which one half depends on the other, received 1 x 1 pixels.
      Use another --flow."
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
      It is an option of glow, realnvp, nice or tarflow."
    `);
    const table = write("table.csv", "a,b\n1,2\n3,4\n");
    expect(await fit(table, "--flips")).toMatchInlineSnapshot(`
      "2
      Error: --flips is for images, and DATA is a table.
      If its columns are pixels, state the size of the images: --image 28x28x1"
    `);
    for (const missing of ["nothere/", "nothere.npy"])
      expect(await fit(path(missing), "--transforms", "1")).toBe(
        `2\nError: There is no file ${missing}.\nCheck the path.`,
      );
    expect(await fit(path("nowhere"), "--flips")).toMatch(/There is no file nowhere/);
    expect(await fit(write("text.npy", "not an array\n"), "--flips")).toMatch(/text\.npy cannot be read/);
  });
});
