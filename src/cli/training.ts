import { count, counted, PushforwardError } from "../check/index.ts";
import type { SplitWithTest } from "../dataset/index.ts";
import { InMemoryDataset } from "../dataset/index.ts";
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
import type { FitFlowsResult } from "../tables/fit/index.ts";
import {
  type FitMembersOptions,
  type FitMembersResult,
  fitMembers,
  type Member,
  trainFlows,
  trimRows,
  withConstants,
  withoutConstants,
} from "../tables/fit/index.ts";
import type { TrainingTable } from "../tables/io/index.ts";
import type { CheckpointStore, FitEpoch, FitProgress } from "../train/index.ts";
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

/** A trained model. */
export interface Trained extends Omit<FitFlowsResult, "warnings"> {
  readonly members?: readonly Member[];
  /** The number of splits, more than 1 for a cross-validated model. */
  readonly splits?: number;
  /** Only of a model that has learned the validation rows (`FitMembersResult`). */
  readonly validated?: FitMembersResult["validated"];
  /** The best member that was trained by gradient descent: `epochs` and `bestEpoch` are its own, even if it is not part of the mixture. */
  readonly trainingCurveMember?: string;
}

/** The recipe of `--flow` with the options for its layers; undefined for the default. */
function namedRecipe({ flow, transforms, hidden }: TableFitValues): FitMembersOptions["recipe"] {
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

/** With `--contamination` two models share the time. */
const timeOfOne = ({ contamination, maxMinutes }: TableFitValues) =>
  contamination === undefined || maxMinutes === undefined ? {} : { maxMinutes: maxMinutes / 2 };

/** Leaves the fraction `--contamination` of the rows out of the training; `trimmed` is their number. The test rows stay as they are. */
export async function trimmedRows(
  values: TableFitValues,
  { table }: Pick<TrainingTable, "table">,
  { training, validation, test }: SplitWithTest,
  reporting: Reporting,
): Promise<SplitWithTest & { readonly trimmed: number }> {
  const { budget, contamination, noKernel } = values;
  if (contamination === undefined || table === undefined) return { training, validation, test, trimmed: 0 };
  if (!(training instanceof InMemoryDataset)) {
    throw new PushforwardError("ARGUMENT", "The table is too large for --contamination", {
      expected: "a table that fits in memory",
      hint: "Leave the option out, or choose some of the rows by a query.",
    });
  }
  const { removed, ...kept } = await trimRows(table, { training, validation }, contamination, {
    ...trainingOptions(values, reporting),
    ...timeOfOne(values),
    kernel: !noKernel,
    budget,
    onMember: (name, index, names) => reporting.progress.onMember(name, { index, names, modelsLeft: 1 }),
  });
  const all = training.rows + validation.rows;
  reporting.messages.print(
    `The second model is trained without the ${counted(removed.length, "most unusual row")} of ${count(all)}.`,
  );
  return { ...kept, test, trimmed: removed.length };
}

/** Trains the flow of `--flow`, or the members of the default model. */
export async function train(
  values: TableFitValues,
  { constants, embedding, table }: Pick<TrainingTable, "constants" | "embedding" | "table">,
  rows: SplitWithTest,
  reporting: Reporting & { readonly checkpoints: (name?: string) => CheckpointStore },
): Promise<Trained> {
  const { flow } = values;
  const { progress, checkpoints } = reporting;
  const recipe = namedRecipe(values);
  const settings = { ...trainingOptions(values, reporting), ...timeOfOne(values), embedding };
  if (table) {
    const result = await fitMembers(table, rows, {
      ...settings,
      kernel: !values.noKernel,
      recipe,
      budget: values.budget,
      // The checkpoint of a named flow has no name, whatever the columns are: `Checkpoints.open` relies on it.
      checkpoints: (name) => checkpoints(recipe ? undefined : name),
      onMember: (name, index, names) => progress.onMember(name, { index, names }),
    });
    const { members } = result;
    const name = members.length === 1 ? members[0]!.name : "default model";
    return {
      ...result.trainingCurve,
      ...result,
      ...rows,
      name,
      trainingCurveMember: result.trainingCurve.name,
    };
  }
  const result = await trainFlows(
    withoutConstants(rows, constants),
    rows.training.rows + rows.validation.rows,
    {
      ...settings,
      ...(flow === "cnf" && { objective: "flowMatching" }),
      ...(recipe && { recipes: { [recipe.name]: recipe.flow } }),
      checkpoints: (name) => checkpoints(recipe ? undefined : name),
      onFlow: (name) => progress.onMember(name),
    },
  );
  return { ...result, flow: withConstants(result.flow, constants) };
}
