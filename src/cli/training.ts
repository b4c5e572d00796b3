import { count, PushforwardError } from "../check/index.ts";
import {
  cnf,
  estimateParameters,
  glow,
  iaf,
  maf,
  naf,
  nice,
  nsf,
  planarFlow,
  realNVP,
} from "../flows/index.ts";
import type { FitMembersOptions } from "../tables/fit/index.ts";
import type { TrainingTable } from "../tables/io/index.ts";
import type { FitEpoch, FitProgress } from "../train/index.ts";
import { engineOf } from "./engine.ts";
import type { FitValues } from "./fitOptions.ts";
import type { TableFitValues } from "./fitValues.ts";
import type { Io } from "./io.ts";
import type { Messages } from "./messages.ts";
import type { TrainingProgress } from "./trainingProgress.ts";

/** The recipes that `--flow` names. */
export const RECIPES = { nsf, maf, realnvp: realNVP, glow, nice, iaf, planar: planarFlow, naf, cnf } as const;

/** More parameters would need more than 4 GB in training. */
const MAX_PARAMETERS = 100_000_000;
/** For each parameter the weight, three moving averages, the best weight, and a gradient in each thread. */
const TRAINING_BYTES_PER_PARAMETER = 40;

/** @throws ARGUMENT for a flow that is too large, before memory is allocated for it. */
export function checkFlowSize(
  { flow, transforms, hidden }: TableFitValues,
  { columns, given }: Pick<TrainingTable, "columns" | "given">,
): void {
  if (flow === "default") return;
  const shape = { context: given.length, transforms, hidden };
  const parameters = estimateParameters(RECIPES[flow], columns.length, shape)!;
  if (parameters <= MAX_PARAMETERS) return;
  const rounded = Number(parameters.toPrecision(2));
  const gigabytes = Math.ceil((rounded * TRAINING_BYTES_PER_PARAMETER) / 1e9);
  throw new PushforwardError("ARGUMENT", "The flow would be too large", {
    expected: `at most ${count(MAX_PARAMETERS)} parameters`,
    received: `about ${count(rounded)}, which need ${count(gigabytes)} GB in training`,
    hint: "Lower --hidden or --transforms.",
  });
}

/** The recipe of `--flow` with the options for its layers; undefined for the default. */
export function namedRecipe({ flow, transforms, hidden }: TableFitValues): FitMembersOptions["recipe"] {
  if (flow === "default") return undefined;
  const layers = { ...(transforms && { transforms }), ...(hidden && { hidden }) };
  return { name: flow, flow: (features, options) => RECIPES[flow](features, { ...options, ...layers }) };
}

/** What a training run reports its progress to, and the signal that ends it. */
interface Reporting {
  readonly signal: AbortSignal;
  readonly progress: TrainingProgress;
  readonly messages: Messages;
  readonly io: Io;
}

/** The options of training that models of tables and of images have in common. */
export const trainingOptions = (
  { learningRate, schedule, ...values }: FitValues,
  { progress, messages, signal, io: { communicator } }: Reporting,
) => ({
  seed: values.seed,
  epochs: values.epochs,
  patience: values.patience,
  batchSize: values.batchSize,
  maxMinutes: values.maxMinutes,
  ...engineOf(values),
  signal,
  ...(communicator && { communicator }),
  ...(learningRate !== undefined && { optimizer: { learningRate } }),
  ...(schedule !== undefined && { schedule: { type: schedule } }),
  onEpoch: (epoch: FitEpoch) => progress.onEpoch(epoch),
  onProgress: (position: FitProgress) => progress.onProgress(position),
  onRecovery: (message: string) => messages.warn(message),
});
