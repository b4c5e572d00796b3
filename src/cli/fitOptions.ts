import { basename, extname, resolve } from "node:path";
import { PushforwardError } from "../check/index.ts";
import { BUDGETS } from "../tables/options/index.ts";
import type { Values } from "./arguments.ts";
import { engine } from "./engine.ts";
import { draws, imageOptions } from "./imageOptions.ts";
import { kindOptions } from "./kindOptions.ts";
import {
  choice,
  flag,
  fraction,
  integerFrom,
  names,
  path,
  positiveNumber,
  readOptions,
  wholeNumbers,
} from "./options.ts";

export const positionals = {
  data: {
    variadic: true,
    description:
      "A table: one or more CSV, TSV, JSON, JSON Lines (each also gzipped) or Parquet files, or patterns of files such as 'quakes/*.csv', which are read as one table; - for standard input; or a DuckDB query in quotes. The first record of a CSV file names the columns. Or images: directories of PNG or JPEG files, idx files (also gzipped), arrays of NumPy (.npy, .npz), or a table with --image.",
  },
} as const;

export const options = {
  output: path({
    alias: "o",
    default: "model.safetensors",
    valueName: "FILE",
    description: "The model file to write.",
  }),
  columns: names({
    valueName: "A,B",
    description: "The columns to learn, separated by commas. Default: all columns.",
  }),
  exclude: names({
    valueName: "A,B",
    description: "Columns not to learn; all others of the table, or of --columns, are learned.",
  }),
  ...kindOptions,
  ...readOptions,
  given: names({
    valueName: "C",
    default: "",
    description:
      "Columns that the others are conditional on: learns p(columns | given) in place of p(columns). A column of text is a class label, with at most 256 different labels.",
  }),
  flow: choice(
    [
      "default",
      "nsf",
      "maf",
      "realnvp",
      "glow",
      "nice",
      "iaf",
      "planar",
      "naf",
      "cnf",
      "tarflow",
      "image-transformer",
      "vae",
    ],
    {
      default: "default",
      valueName: "FLOW",
      description:
        "The architecture of a single flow. Default: a mixture of several densities that learns columns of any kind. With a single flow, rows with a missing value are left out if all columns are numbers; otherwise a missing value is an error. Columns without a density are dequantized, and log-densities are then lower bounds. For images: glow (the default), realnvp, nice, tarflow, image-transformer (the only one with exact probabilities), or vae (a variational autoencoder).",
    },
  ),
  ...imageOptions,
  draws,
  noKernel: flag(
    "Stores no training rows in the model file: leaves out kernel densities and the reference rows of the anomaly score.",
  ),
  contamination: fraction(
    false,
    {
      valueName: "Q",
      example: "0.05",
      description:
        "The fraction of the rows that may be anomalies. The default model is trained twice, the second time without the rows that have the highest anomaly scores. Default: once, with all rows.",
    },
    0.5,
  ),
  budget: choice(BUDGETS, {
    default: "default",
    valueName: "BUDGET",
    description:
      "How much time the training of the default model may take: small leaves flows out, has a smaller network and trains half as long; large has a larger network and trains up to twice as long.",
  }),
  transforms: integerFrom(1, {
    valueName: "N",
    description:
      "The number of layers, for a --flow other than default. For images: the number of couplings per level, of maps of tarflow, of layers of image-transformer, or of maps of the posterior of vae.",
  }),
  hidden: wholeNumbers({
    valueName: "H,H",
    example: "64,64",
    description:
      "The widths of the hidden layers of each network, for a --flow other than default. For images: one width.",
  }),
  seed: integerFrom(0, {
    default: "0",
    valueName: "S",
    description:
      "Seed of all random numbers. The same seed, data and number of threads give the same file, byte for byte.",
  }),
  epochs: integerFrom(1, {
    valueName: "N",
    example: "200",
    description:
      "Maximum number of passes over the data. Training usually ends sooner, when the validation rows no longer improve. Default: 500 epochs, or 10,000 steps if that is more; the members of the default model have their own values.",
  }),
  patience: integerFrom(1, {
    valueName: "N",
    description:
      "Training ends after this many epochs without improvement. Default: 20 epochs, or 500 steps if that is more; the members of the default model have their own values.",
  }),
  maxMinutes: positiveNumber({
    valueName: "M",
    example: "10",
    description: "Training ends after this many minutes and keeps the best weights so far.",
  }),
  batchSize: integerFrom(1, {
    valueName: "N",
    example: "256",
    description:
      "Rows in a batch. Default: 256, for images 64; the members of the default model have their own values.",
  }),
  learningRate: positiveNumber({
    valueName: "R",
    example: "0.001",
    description:
      "Initial learning rate. Default: 0.001; the members of the default model have their own values.",
  }),
  schedule: choice(["plateau", "cosine", "constant"], {
    valueName: "SCHEDULE",
    description:
      "How the learning rate changes: plateau halves it when the validation rows no longer improve; cosine lowers it to 1 % along a half cosine over --epochs; constant keeps it. Default: plateau; the members of the default model have their own values.",
  }),
  validationFraction: fraction(false, {
    default: "0.1",
    valueName: "F",
    example: "0.1",
    description:
      "Fraction of the rows that are not test rows, which decides when training ends and which weights are kept; at least 0.2 in the cross-validation of small tables.",
  }),
  testFraction: fraction(true, {
    valueName: "F",
    example: "0.1",
    description:
      "Fraction of the rows that the finished model is tested on; 0 for no test. Default: 0.1, or 0 for fewer than 20 rows.",
  }),
  ...engine,
  pictures: path({
    valueName: "DIR",
    description:
      "Directory to write samples.png (data beside samples) and training.png (the training curve) to. For images, samples.png has samples, interpolations, reconstructions and more, and training-samples.png has samples after the epochs 1, 2, 4, 8...",
  }),
  resume: flag("Continues an interrupted training run from its checkpoint."),
  overwrite: flag("Discards the checkpoint of an interrupted training run and starts again."),
  log: path({
    valueName: "FILE",
    example: "metrics.jsonl",
    description:
      "Also writes the events of --json to this file, for example to plot them during the training.",
  }),
  json: flag("Prints one JSON object per line, for programs: an event for each epoch and one at the end."),
};

/** The arguments and options of `pushforward fit`. */
export type FitValues = Values<{ positionals: typeof positionals; options: typeof options }>;

/** Throws `ARGUMENT` if an output is not the name of a model file. */
export function checkModelName(output: string, why: string): void {
  if (output === "-") {
    throw new PushforwardError("ARGUMENT", "A model cannot be written to standard output", {
      expected: `the name of a file, because ${why}`,
      hint: "For example: -o model.safetensors",
    });
  }
  if (extname(output) === ".safetensors") return;
  const name = basename(output, extname(output));
  throw new PushforwardError("ARGUMENT", `${output} is not the name of a model file`, {
    expected: "a name that ends in .safetensors",
    hint: `For example: -o ${/^\.*$/.test(name) ? "model" : name}.safetensors`,
  });
}

/** Throws `ARGUMENT` if the log is standard output, or would replace the model or a table. */
function checkLogName({ log, output, data }: FitValues): void {
  if (log === undefined) return;
  if (log === "-") {
    throw new PushforwardError("ARGUMENT", "The log cannot be written to standard output", {
      expected: "the name of a file",
      hint: "For example: --log metrics.jsonl. --json prints the events to standard output.",
    });
  }
  const replaced = [output, ...data].find((path) => resolve(path) === resolve(log));
  if (replaced === undefined) return;
  throw new PushforwardError("ARGUMENT", `${replaced} would be replaced by the log`, {
    hint: "Choose another path for --log.",
  });
}

/** @throws ARGUMENT for the first two options that cannot be combined, and for a name of the output or of the log that is not allowed. */
export function checkFitValues(values: FitValues): void {
  const { resume, overwrite, output } = values;
  if (resume && overwrite) {
    throw new PushforwardError("ARGUMENT", "--overwrite cannot be combined with --resume", {
      hint: "Continue with --resume, or start again with --overwrite.",
    });
  }
  checkModelName(output, "checkpoints are written beside it");
  checkLogName(values);
}
