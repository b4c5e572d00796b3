import { command } from "./command.ts";
import { checkFitValues, options, positionals } from "./fitOptions.ts";
import { inMpiJob } from "./inMpiJob.ts";

export const fit = command({
  name: "fit",
  summary: "Learns the density of a table, or of images, and writes a model file.",
  positionals,
  options,
  details: [
    "The default model learns missing values too. With another --flow, rows with a missing value are left out if all columns are numbers; otherwise a missing value is an error. With any model, rows without a value of a --given column are left out. The number of rows left out is reported. Some rows are held out at random: a tenth to test the finished model and compare it with simpler densities, and a tenth of the others to end training early.",
    "After each epoch, but at most about once a second, a checkpoint is written beside the model, to FILE.checkpoint. Ctrl-C keeps it, and the same command with --resume continues from it and writes the same file as an uninterrupted training run.",
    "All images must have the same size and 8 bits per channel. A large set (more than 2^24 numbers) is read from disk in each epoch. A model of images gives a probability to each image of integer pixels. Progress and report show bits per dimension, -log2 P / (height x width x channels), of which a lower number is better.",
  ],
  examples: [
    ["fit earthquakes.csv", "Learns all columns and writes model.safetensors."],
    [
      "fit houses.parquet --columns price,area -o houses.safetensors --pictures pictures",
      "Learns two columns, and draws data beside samples of the model.",
    ],
    ["fit earthquakes.csv --given depth_km", "Learns the other columns conditional on the depth."],
    [`fit "SELECT lon, lat FROM 'quakes/*.parquet' WHERE mag > 4"`, "Learns the result of a query."],
    ["fit photos/ --flow glow --flips", "Learns the images of a directory."],
    [
      "fit train-images-idx3-ubyte.gz train-labels-idx1-ubyte.gz --classes",
      "Learns MNIST, conditional on the digit.",
    ],
  ],
  async run(values, io, words) {
    checkFitValues(values);
    const { areImages } = await import("./fitValues.ts");
    const isImages = await areImages(values);
    await inMpiJob(values, io, async (rankValues, rankIo) => {
      if (isImages) {
        const { fitImages } = await import("./fitImages.ts");
        return fitImages(rankValues, rankIo, words);
      }
      const { fitModel } = await import("./fitModel.ts");
      await fitModel(rankValues, rankIo, words);
    });
  },
});
