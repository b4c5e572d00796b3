import { command } from "./command.ts";
import { checkFitValues, options, positionals } from "./fitOptions.ts";

export const fit = command({
  name: "fit",
  summary: "Learns the density of a table and writes a model file.",
  positionals,
  options,
  details: [
    "Rows with a missing value are left out, and their number is reported. Some rows are held out at random: a tenth to test the finished model and compare it with a Gaussian, and a tenth of the others to end training early.",
    "After each epoch, but at most about once a second, a checkpoint is written beside the model, to FILE.checkpoint. Ctrl-C keeps it, and the same command with --resume continues from it and writes the same file as an uninterrupted training.",
  ],
  examples: [
    ["fit earthquakes.csv", "Learns all columns and writes model.safetensors."],
    [
      "fit houses.parquet --columns price,area -o houses.safetensors --pictures pictures",
      "Learns two columns, and draws data beside samples of the model.",
    ],
    ["fit earthquakes.csv --given depth_km", "Learns the other columns conditional on the depth."],
    [`fit "SELECT lon, lat FROM 'quakes/*.parquet' WHERE mag > 4"`, "Learns the result of a query."],
  ],
  async run(values, io, words) {
    checkFitValues(values);
    const { fitModel } = await import("./fitModel.ts");
    await fitModel(values, io, words);
  },
});
