import { existsSync, readFileSync } from "node:fs";
import { decode } from "fast-png";
import { InferenceSession, Tensor } from "onnxruntime-node";
import { beforeAll, describe, expect, test, vi } from "vitest";
import { idx } from "../images/files.ts";
import { workplace } from "./command.ts";
import { COUNT, image, SMALL_GLOW, writeImages } from "./smallImages.ts";

const place = workplace();
const { path, write, failure, json, outputs } = place;

let data: ReturnType<typeof writeImages>;
const models = { plain: "", classes: "" };

beforeAll(async () => {
  data = writeImages(place);
  models.plain = path("plain.safetensors");
  models.classes = path("classes.safetensors");
  const training = [...SMALL_GLOW, "--epochs", "1", "-o"];
  await outputs("fit", data.images, ...training, models.plain);
  await outputs("fit", data.images, data.labels, "--classes", ...training, models.classes);
});

describe("a model of images", () => {
  test("scores each file and evaluates the mean, which agree", async () => {
    const { out } = await outputs("score", models.plain, data.directory, "-o", "-");
    const [header, ...lines] = out.trim().split("\n");
    expect(header).toBe("file,log_probability,bits_per_dimension");
    const bits = lines.map((line) => Number(line.split(",")[2]));
    expect(lines.map((line) => line.split(",")[0])).toEqual(
      [0, 2, 1, 3].map((n) => `photos/${n % 2 ? "right" : "left"}/${n}.png`),
    );
    const [result] = await json("evaluate", models.plain, data.directory);
    expect(result!.bitsPerDimension).toBeCloseTo(bits.reduce((a, b) => a + b) / 4, 6);
    expect(await failure("score", models.plain, data.directory, "-o", "scored/")).toMatchInlineSnapshot(`
      "2
      Error: The output scored/ is a directory: expected a file with a row for each image.
      Give the name of a file: -o scored.csv"
    `);
  });

  test("is conditional on classes by their names", async () => {
    const { out } = await outputs("score", models.classes, data.images, data.labels, "-o", "-");
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
      Error: The images of images.idx have no classes, on which the model is conditional: expected a file or an array of labels, or a column named label or class.
      Give the labels too."
    `);
  });

  test("predicts the class of each image, with or without its label", async () => {
    const scored = await outputs("score", models.classes, data.images, data.labels, "--classify", "-o", "-");
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
    const { out } = await outputs("evaluate", ...labeled);
    expect(out.replace(/\d+\.\d+/g, "#.###")).toMatchInlineSnapshot(`
      "Bits per dimension of 40 images: #.### ± #.### (1 draw of noise each)
      Accuracy of the predicted classes: #.###%
      "
    `);
    const unlabeled = await outputs("score", models.classes, data.images, "--classify", "-o", "-");
    expect(unlabeled.out.split("\n")[0]).toBe(
      "image,predicted_class,log_probability,bits_per_dimension,p_0,p_1",
    );
    const directory = await outputs("score", models.classes, data.directory, "--classify", "-o", "-");
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
      Error: The images of images.idx have no classes, on which the model is conditional: expected a file or an array of labels, or a column named label or class.
      Give the labels too."
    `);
  });

  test("draws a picture of all images, or a directory with a file for each", async () => {
    const grid = path("grid.png");
    await outputs("sample", models.classes, "-n", "6", "-o", grid);
    const picture = decode(readFileSync(grid));
    expect(picture.channels).toBe(1);
    await outputs(
      ...["sample", models.classes, "-n", "2", "--class", "1", "--temperature", "0.5", "-o", path("drawn")],
    );
    const { width, height, data: drawn } = decode(readFileSync(path("drawn/1/00002.png")));
    expect([width, height, drawn.length]).toEqual([4, 4, 16]);
    expect(await failure("sample", models.classes, "-n", "1", "-o", path("drawn"))).toMatchInlineSnapshot(`
      "2
      Error: drawn already has images, perhaps of an earlier run: received 2 pictures, such as drawn/1/00001.png.
      Give a new directory, or remove them."
    `);
    const onStopMessage = vi.fn();
    const modes = ["sample", models.plain, "-n", "2", "--temperature", "0", "-o", path("modes")];
    await place.pushforward(modes, { onStopMessage });
    expect(onStopMessage.mock.lastCall?.[0].what).toBe(
      `Stopped; the images that were drawn are in ${path("modes")}`,
    );
    expect(readFileSync(path("modes/00001.png"))).toEqual(readFileSync(path("modes/00002.png")));
    expect(await failure("sample", models.classes, "--class", "5", "-o", grid)).toMatchInlineSnapshot(`
      "2
      Error: The model has no class "5": expected one of 0, 1.
      Give one of the classes that the model has learned."
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
    expect(await failure("sample", models.plain, "-o", path("x.npy"))).toMatch(
      /^2\nError: Images cannot be written to x\.npy: expected a picture that ends in \.png, or a directory\.\n/,
    );
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
    await outputs("interpolate", models.plain, a, b, "--steps", "3", "-o", path("line.png"));
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
    await outputs("export", models.plain, "-o", path("exported"));
    const exported = JSON.parse(readFileSync(path("exported/model.json"), "utf8"))["density.onnx"];
    expect(exported.inputs[0]).toEqual({
      name: "x",
      meaning: "pixels of images [4, 4, 1], which are integers from 0",
      image: [4, 4, 1],
    });
    expect(exported.outputs[0].meaning).toBe("lower bound of the log-probability of the rows");
    expect(await failure("export", models.plain, "-o", path("dask"), "--for", "dask")).toMatchInlineSnapshot(`
      "2
      Error: --for dask is for models of tables: received plain.safetensors, a model of images.
      Leave it out, and give density.onnx the pixels of images."
    `);
  });

  test("is exported as maps between images and latent rows", async () => {
    await outputs("export", models.plain, "--what", "latent,data", "-o", path("maps"));
    const session = (what: string) => InferenceSession.create(path(`maps/${what}.onnx`));
    const x = new Tensor("float32", Float32Array.from(image(0)), [1, 16]);
    const { z } = await (await session("latent")).run({ x });
    // Logits of the pixels, normalized by actnorm.
    expect(Math.max(...(z!.data as Float32Array).map(Math.abs))).toBeLessThan(20);
    const { x: back } = await (await session("data")).run({ z: z! });
    expect(Array.from(back!.data as Float32Array)).toEqual([...image(0)]);
  });

  test("is inspected as images", async () => {
    const { out } = await outputs("inspect", models.classes);
    expect(out.split("\n").slice(0, 3).join("\n")).toMatchInlineSnapshot(`
      "model       classes.safetensors
      images      4 x 4 x 1 (height, width, channels), values from 0 to 255
      given       class (0 or 1)"
    `);
    expect(await json("inspect", models.plain)).toMatchObject([{ image: [4, 4, 1] }]);
  });
});
