import { PushforwardError } from "../check/index.ts";
import { command } from "./command.ts";
import { engine, engineOf } from "./engine.ts";
import { integerFrom, model, path, text } from "./options.ts";

/** The largest number of images in a row of the picture. */
const MAX_COLUMNS = 10;

export const interpolate = command({
  name: "interpolate",
  summary: "Draws the images between two images, on a line in the latent space.",
  positionals: {
    model,
    from: { description: "A PNG or JPEG file of the size that the model has learned." },
    to: { description: "Another such file." },
  },
  options: {
    output: path({ alias: "o", required: true, valueName: "OUT.png", description: "The picture to write." }),
    steps: integerFrom(
      2,
      {
        valueName: "N",
        default: "10",
        example: "10",
        description: "The number of images, including both ends.",
      },
      1000,
    ),
    class: text({ valueName: "CLASS", description: "The class of the images, for a model with classes." }),
    ...engine,
  },
  details: [
    "The first and the last image are the reconstructions of the two images. Those of a flow equal the images up to rounding.",
  ],
  examples: [["interpolate model.safetensors a.png b.png -o between.png", "Ten images in one picture."]],
  async run({ model: modelPath, from, to, output, steps, class: name, threads, provider }, io) {
    const { checkWritable, writeFileAtomically } = await import("../files/index.ts");
    const { encodePng, grayLevels, imageGrid, imageRows } = await import("../images/files/index.ts");
    const { openImages } = await import("../open/index.ts");
    const { classIndex, imageModelOf } = await import("./imageModels.ts");
    const { Messages } = await import("./messages.ts");
    const { readModel } = await import("./model.ts");

    if (!output.toLowerCase().endsWith(".png")) {
      throw new PushforwardError("ARGUMENT", `${output} is not the name of a picture`, {
        expected: "a name that ends in .png",
        hint: "For example: -o between.png",
      });
    }
    await checkWritable(output);
    const images = imageModelOf(await readModel(modelPath), modelPath);
    const { shape, features, values, classes } = images;
    // Without a latent space, a class would not help: `interpolate` throws below.
    if (name === undefined && classes.length > 0 && images.hasLatentSpace) {
      throw new PushforwardError("ARGUMENT", "The model is conditional on the class of an image", {
        hint: `Give the class of both images, for example: --class ${classes[0]}`,
      });
    }
    const index = name === undefined ? undefined : classIndex(images, name);
    const ends = await openImages([from, to], {
      shape,
      statedBy: { name: "the model" },
      signal: io.interrupted,
    });
    try {
      if (ends.count !== 2) {
        throw new PushforwardError("ARGUMENT", "An interpolation needs two images", {
          expected: "one image in each of the two files",
          received: `${ends.count} images`,
          hint: "Give two PNG or JPEG files.",
        });
      }
      const { sample } = await imageRows(ends, { values, maxNumbersInMemory: Number.POSITIVE_INFINITY });
      const [first, second] = [0, 1].map((i) => sample.values.subarray(i * features, (i + 1) * features));
      const between = await images.interpolate(first!, second!, steps, {
        ...(index !== undefined && { classes: [index] }),
        ...engineOf({ threads, provider }),
      });
      const pixels = grayLevels(between, values);
      const grid = imageGrid(pixels, shape, { columns: Math.min(steps, MAX_COLUMNS) });
      await writeFileAtomically(output, await encodePng(grid));
    } finally {
      await ends.close();
      await images.release();
    }
    new Messages(io).print(`Wrote ${steps} images to ${output}`);
  },
});
