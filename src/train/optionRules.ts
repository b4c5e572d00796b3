import type * as z from "zod/mini";
import {
  abortSignal,
  anyValue,
  callback,
  numberFrom,
  type OptionRule,
  type OptionRules,
  PushforwardError,
  parse,
  trueOrFalse,
} from "../check/index.ts";
import { engineRules } from "../runtime/index.ts";
import type { CommonSettings, FitOptions, MinimizeOptions, RowOptions, TrainingControls } from "./options.ts";

const checkpointStore: OptionRule = {
  expected: "an object with the methods load and save",
  accepts: (value) => {
    const { load, save } = (value ?? {}) as { load?: unknown; save?: unknown };
    return typeof load === "function" && typeof save === "function";
  },
};

/** The schemas of the settings check the values. */
const commonRules: OptionRules<CommonSettings> = {
  epochs: anyValue,
  batchSize: anyValue,
  optimizer: anyValue,
  schedule: anyValue,
  clipNorm: anyValue,
  validationFraction: anyValue,
  patience: anyValue,
  averageDecay: anyValue,
  seed: anyValue,
};

/** The rules of the options of all training runs, also of those without rows. */
export const runControlRules: OptionRules<Omit<TrainingControls, "communicator">> = {
  onRecovery: callback,
  signal: abortSignal,
  maxMinutes: numberFrom(0),
  ...engineRules,
};

const controlRules: OptionRules<TrainingControls> = { ...runControlRules, communicator: anyValue };

/** `asDataset` checks the rows. */
const rowRules: OptionRules<Omit<RowOptions, "checkpoint">> = {
  context: anyValue,
  weights: anyValue,
  validation: anyValue,
};

/** The rules of the options that `fit` and `fitFlows` have in common. */
export const commonFitRules: OptionRules<Omit<FitOptions, "initialize" | "checkpoint">> = {
  objective: anyValue,
  klWarmUp: anyValue,
  ...commonRules,
  ...rowRules,
  ...controlRules,
  onEpoch: callback,
  onProgress: callback,
};

export const fitRules: OptionRules<FitOptions> = {
  ...commonFitRules,
  initialize: trueOrFalse,
  checkpoint: checkpointStore,
};

export const minimizeRules: OptionRules<MinimizeOptions> = {
  steps: anyValue,
  ...commonRules,
  validationLoss: callback,
  frozen: anyValue,
  ...rowRules,
  ...controlRules,
  onEpoch: callback,
  onProgress: callback,
  checkpoint: checkpointStore,
};

/** The settings of a schedule or an optimizer that have no effect, by its type. */
const WITHOUT_EFFECT: Readonly<
  Record<"schedule" | "optimizer", Readonly<Record<string, readonly string[]>>>
> = {
  schedule: { constant: ["final", "patience"], cosine: ["patience"] },
  optimizer: { sgd: ["beta2", "epsilon"] },
};

/**
 * The settings among the options of `owner`, with their defaults. Throws `ARGUMENT` for a value that is not valid, and for a setting that has no
 * effect.
 */
export function settingsIn<S extends z.ZodMiniObject>(
  schema: S,
  options: object,
  owner: string,
): z.output<S> {
  const names = Object.keys(schema.shape);
  const settings = Object.entries(options).filter(
    ([name, value]) => names.includes(name) && value !== undefined,
  );
  const parsed = parse(schema, Object.fromEntries(settings), `an option of ${owner}`);
  for (const [name, value] of settings) {
    if (name === "schedule" || name === "optimizer") checkEffects(name, value, owner);
  }
  return parsed;
}

/**
 * Throws `ARGUMENT` if a schedule or an optimizer has a setting that its type does not use. Without an owner, the settings are the options of
 * the function that has the name of the type, such as `sgd`.
 */
export function checkEffects(
  name: "schedule" | "optimizer",
  value: { readonly type?: string | undefined },
  owner?: string,
): void {
  const { type, ...stated } = value;
  const unused = Object.entries(stated).find(
    ([setting, each]) => each !== undefined && WITHOUT_EFFECT[name][type ?? ""]?.includes(setting),
  );
  if (!unused) return;
  const [setting] = unused;
  throw new PushforwardError(
    "ARGUMENT",
    owner
      ? `the option ${name}.${setting} of ${owner} has no effect with the type "${type}"`
      : `the option ${setting} of ${type} has no effect`,
    {
      received: `${setting}: ${unused[1]}`,
      hint: `Leave it out, or choose another ${owner ? "type" : name}.`,
    },
  );
}
