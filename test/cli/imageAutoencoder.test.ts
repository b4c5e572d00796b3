import { existsSync, readFileSync } from "node:fs";
import { decode } from "fast-png";
import { beforeAll, describe, expect, test } from "vitest";
import { workplace } from "./command.ts";
import { writeImages } from "./smallImages.ts";

const place = workplace();
const { path, write, failure, json, outputs } = place;

let data: ReturnType<typeof writeImages>;
beforeAll(() => {
  data = writeImages(place);
});

describe("vae", () => {
  const model = () => path("vae.safetensors");
  const words = "--flow vae --latent 2 --hidden 8 --transforms 1 --epochs 1 --threads 1".split(" ");

  test("has a bound, samples, interpolations and pictures", async () => {
    const pictures = path("of-vae");
    await outputs("fit", data.images, ...words, "--pictures", pictures, "-o", model());
    expect(existsSync(`${pictures}/samples.png`)).toBe(true);
    const { out } = await outputs("evaluate", model(), data.images, "--draws", "3");
    expect(out.replace(/\d+\.\d{3}/g, "#.###")).toMatchInlineSnapshot(`
      "Bits per dimension of 40 images: #.### ± #.### (3 draws of the posterior each)
      "
    `);
    const bits = async (draws: string) => {
      const [result] = await json("evaluate", model(), data.images, "--draws", draws);
      return result!.bitsPerDimension as number;
    };
    expect(await bits("5")).toBeLessThan(await bits("1"));
    await outputs("sample", model(), "-n", "2", "--temperature", "0.9", "-o", path("of-vae"));
    const [first, second] = ["1", "2"].map((n) => decode(readFileSync(`${pictures}/0000${n}.png`)).data);
    expect(first).not.toEqual(second);
    const [a, b] = [path("photos/left/0.png"), path("photos/right/1.png")];
    await outputs("interpolate", model(), a, b, "--steps", "3", "-o", path("between.png"));
    expect(decode(readFileSync(path("between.png"))).channels).toBe(1);
    const { out: summary } = await outputs("inspect", model());
    expect(summary.split("\n").find((line) => line.startsWith("flow"))).toMatchInlineSnapshot(
      `"flow        variational autoencoder"`,
    );
  });

  test("has no classes, and its options belong to no other flow", async () => {
    const output = path("x.safetensors");
    const fit = (...options: string[]) => failure("fit", data.images, ...options, "-o", output);
    expect(await fit(data.labels, "--classes", ...words)).toMatchInlineSnapshot(`
      "2
      Error: --classes cannot be combined with --flow vae.
      It is an option of glow, realnvp, nice, tarflow or image-transformer."
    `);
    expect(await fit("--latent", "2")).toMatchInlineSnapshot(`
      "2
      Error: --latent cannot be combined with --flow glow.
      It is an option of vae."
    `);
    const table = write("numbers.csv", "a,b\n1,2\n3,4\n");
    expect(await failure("fit", table, "--flow", "vae", "-o", output)).toMatchInlineSnapshot(`
      "2
      Error: --flow vae is for images, and DATA is a table.
      If its columns are pixels, state the size of the images: --image 28x28x1"
    `);
  });
});
