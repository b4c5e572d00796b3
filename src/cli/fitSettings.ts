import { basename, extname } from "node:path";
import { parseColumnList } from "../data/columnList.ts";
import { PushforwardError } from "../errors.ts";
import type { FitContext } from "./fit.ts";
import { positiveNumber, share, threadCount, wholeNumber, wholeNumbers } from "./numbers.ts";

/** What `pushforward fit` was asked for, checked. */
export type Settings = ReturnType<typeof fitSettings>;

/** @throws ARGUMENT for the first option that does not fit. */
export function fitSettings(args: FitContext["args"]) {
  const settings = {
    data: args._,
    output: args.output,
    columns: args.columns === undefined ? undefined : parseColumnList(args.columns),
    exclude: args.exclude === undefined ? undefined : parseColumnList(args.exclude),
    na: args.na === undefined ? [] : parseColumnList(args.na),
    given: args.given === undefined ? [] : parseColumnList(args.given),
    flow: args.flow,
    transforms: wholeNumber("transforms", args.transforms, { min: 1 }),
    hidden: wholeNumbers("hidden", args.hidden),
    seed: wholeNumber("seed", args.seed, { min: 0 }),
    epochs: wholeNumber("epochs", args.epochs, { min: 1 }),
    patience: wholeNumber("patience", args.patience, { min: 1 }),
    maxMinutes: positiveNumber("max-minutes", args["max-minutes"]),
    batchSize: wholeNumber("batch-size", args["batch-size"], { min: 1 }),
    learningRate: positiveNumber("learning-rate", args["learning-rate"]),
    validationFraction: share("validation-fraction", args["validation-fraction"]),
    testFraction: share("test-fraction", args["test-fraction"], { zero: true }),
    threads: threadCount(args.threads),
    pictures: args.pictures,
    resume: Boolean(args.resume),
    overwrite: Boolean(args.overwrite),
    json: Boolean(args.json),
  };
  const { flow, transforms, hidden, output } = settings;
  if (flow === "default" && (transforms ?? hidden)) {
    const option = transforms ? "transforms" : "hidden";
    throw new PushforwardError("ARGUMENT", `--${option} does not go with the default flow`, {
      hint: "Choose the kind of flow too, for example --flow nsf",
    });
  }
  if (flow === "cnf" && transforms) {
    throw new PushforwardError("ARGUMENT", "--transforms does not go with --flow cnf", {
      hint: "A continuous flow has no layers: leave the option out, or choose another flow.",
    });
  }
  if (settings.resume && settings.overwrite) {
    throw new PushforwardError("ARGUMENT", "--overwrite does not go with --resume", {
      hint: "Go on with --resume, or start anew with --overwrite.",
    });
  }
  if (output === "-") {
    throw new PushforwardError("ARGUMENT", "A model does not go to standard output", {
      expected: "the name of a file, beside which checkpoints are kept",
      hint: "Write for example -o model.safetensors",
    });
  }
  if (extname(output) !== ".safetensors") {
    throw new PushforwardError("ARGUMENT", `The name ${output} does not suit a model file`, {
      expected: "a name that ends in .safetensors",
      hint: `Write for example -o ${basename(output, extname(output))}.safetensors`,
    });
  }
  return settings;
}
