import { beforeAll, describe, expect, test } from "vitest";
import { workplace } from "./command.ts";
import { COUNT, writeImages } from "./smallImages.ts";

const place = workplace();
const { path, failure, json, outputs } = place;

let data: ReturnType<typeof writeImages>;
beforeAll(() => {
  data = writeImages(place);
});

describe("image-transformer", () => {
  const model = () => path("pixels.safetensors");
  const words =
    "--flow image-transformer --hidden 8 --transforms 1 --epochs 1 --schedule cosine --threads 1".split(" ");

  test("has exact probabilities, and is sampled at a temperature", async () => {
    await outputs("fit", data.images, data.labels, "--classes", ...words, "-o", model());
    const { out } = await outputs("evaluate", model(), data.images, data.labels);
    expect(out.replace(/\d+\.\d{3}/g, "#.###")).toMatchInlineSnapshot(`
      "Bits per dimension of 40 images: #.### ± #.### (exact)
      "
    `);
    const [result] = await json("evaluate", model(), data.images, data.labels);
    expect(result).toMatchObject({ rows: COUNT });
    expect(result).not.toHaveProperty("draws");
    const temperature = ["--temperature", "0.5", "--class", "1"];
    await outputs("sample", model(), "-n", "4", ...temperature, "-o", path("drawn.png"));
    const { out: summary } = await outputs("inspect", model());
    expect(summary.split("\n").find((line) => line.startsWith("flow"))).toMatchInlineSnapshot(
      `"flow        pixel autoregressive"`,
    );
  });

  test("has no latent space, no draws of noise and no options of other flows", async () => {
    const [a, b] = [path("photos/left/0.png"), path("photos/right/1.png")];
    const withoutClass = await failure("interpolate", model(), a, b, "-o", path("between.png"));
    expect(withoutClass).toContain("The model has no latent space");
    const between = ["interpolate", model(), a, b, "--class", "1", "-o", path("between.png")];
    expect(await failure(...between)).toMatchInlineSnapshot(`
      "2
      Error: The model has no latent space: it draws one pixel after the other.
      Fit another flow of images, such as glow."
    `);
    const labeled = [data.images, data.labels];
    expect(await failure("evaluate", model(), ...labeled, "--draws", "8")).toMatchInlineSnapshot(`
      "2
      Error: The log-probability of the model is exact: expected 1 draw, received 8.
      Draws are for flows of dequantized images and for autoencoders."
    `);
    const fit = (...options: string[]) =>
      failure("fit", data.images, ...words, ...options, "-o", path("x.safetensors"));
    expect(await fit("--draws", "8")).toMatchInlineSnapshot(`
      "2
      Error: --draws cannot be combined with --flow image-transformer.
      Its probabilities are exact: leave the option out."
    `);
    expect(await fit("--levels", "1")).toMatchInlineSnapshot(`
      "2
      Error: --levels cannot be combined with --flow image-transformer.
      It is an option of glow or realnvp."
    `);
  });
});
