import type { ArgsDef } from "citty";
import { type Context, command, NA, THREADS } from "./command.ts";

const args = {
  data: {
    type: "positional",
    valueHint: "DATA...",
    required: true,
    description:
      "A table: one or more CSV, TSV, JSON, JSON Lines (each also gzipped) or Parquet files, or patterns of files such as 'quakes/*.csv', which are read as one table; - for standard input; or a DuckDB query in quotes. The first record of a CSV file names the columns.",
  },
  output: {
    type: "string",
    alias: "o",
    default: "model.safetensors",
    valueHint: "FILE",
    description: "The model file to write.",
  },
  columns: {
    type: "string",
    valueHint: "A,B",
    description:
      "The columns to learn, separated by commas. Default: all columns, which must then be numeric.",
  },
  exclude: {
    type: "string",
    valueHint: "A,B",
    description: "Columns not to learn: all others of the table, or of --columns.",
  },
  na: NA,
  given: {
    type: "string",
    valueHint: "C",
    description:
      "Columns that the others are conditional on: learns p(columns | given) in place of p(columns). Text, as the name of a class, is one of at most 256.",
  },
  flow: {
    type: "enum",
    options: ["default", "nsf", "maf", "realnvp", "glow", "nice", "iaf", "planar", "naf", "cnf"],
    default: "default",
    valueHint: "FLOW",
    description:
      "The kind of flow; the default tries three (two for more than 20,000 rows) and keeps the best.",
  },
  transforms: {
    type: "string",
    valueHint: "N",
    description: "The number of layers, with a --flow other than default.",
  },
  hidden: {
    type: "string",
    valueHint: "H,H",
    description:
      "The widths of the hidden layers in each network, as in 64,64, with a --flow other than default.",
  },
  seed: {
    type: "string",
    default: "0",
    valueHint: "S",
    description:
      "Seed of everything random: the same seed, data and number of threads give the same file, byte for byte.",
  },
  epochs: {
    type: "string",
    valueHint: "N",
    description:
      "Most passes over the data. Training usually ends sooner, when the validation rows gain no more. Default: 500, or as many as make 10,000 steps.",
  },
  patience: {
    type: "string",
    valueHint: "N",
    description: "Epochs without gain after which training ends. Default: 20, or as many as make 500 steps.",
  },
  "max-minutes": {
    type: "string",
    valueHint: "M",
    description: "Ends training after so many minutes, with what is best by then.",
  },
  "batch-size": { type: "string", valueHint: "N", description: "Rows in a batch." },
  "learning-rate": { type: "string", valueHint: "R", description: "Step size at the start." },
  "validation-fraction": {
    type: "string",
    default: "0.1",
    valueHint: "F",
    description: "Share of the rows that decides when training ends and which weights are kept.",
  },
  "test-fraction": {
    type: "string",
    valueHint: "F",
    description:
      "Share of the rows that the finished model is tested on; 0 turns this off. Default: 0.1 for tables of 200 rows or more.",
  },
  threads: THREADS,
  pictures: {
    type: "string",
    valueHint: "DIR",
    description: "Draws samples.png (data beside samples) and training.png (the training curve) there.",
  },
  resume: { type: "boolean", description: "Goes on from the checkpoint of a training that was interrupted." },
  overwrite: {
    type: "boolean",
    description: "Starts anew, and discards the checkpoint of a training that was interrupted.",
  },
  json: {
    type: "boolean",
    description: "Prints one JSON object a line, for programs: an event for each epoch, and one at the end.",
  },
} as const satisfies ArgsDef;

export type FitContext = Context<typeof args>;

export const fit = command({
  name: "fit",
  summary: "learns the density of a table and writes a model file",
  args,
  details: [
    "Rows with a missing value are left out, and counted. Some rows are held out at random: a tenth to judge the finished model beside a Gaussian fitted to the same rows, and a tenth of the rest to end training in time.",
    "A checkpoint is written beside the model, FILE.checkpoint, after each epoch, or about once a second where epochs are shorter. Ctrl-C keeps it, and the same command with --resume goes on from it, to the very file that an uninterrupted training writes.",
  ],
  examples: [
    ["fit earthquakes.csv", "Learns all columns and writes model.safetensors."],
    [
      "fit houses.parquet --columns price,area -o houses.safetensors --pictures pictures",
      "Two columns, with pictures of what was learned.",
    ],
    ["fit earthquakes.csv --given depth_km", "The other columns at any given depth."],
    [`fit "SELECT lon, lat FROM 'quakes/*.parquet' WHERE mag > 4"`, "What a query gives."],
  ],
  async run(context) {
    const { fitModel } = await import("./fitModel.ts");
    await fitModel(context);
  },
});
