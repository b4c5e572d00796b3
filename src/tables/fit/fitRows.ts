import { PushforwardError } from "../../check/index.ts";
import {
  type Dataset,
  fingerprint,
  InMemoryDataset,
  type Split,
  type SplitWithTest,
  splitWithTest,
  testFractionOf,
} from "../../dataset/index.ts";
import type { Flow } from "../../flows/index.ts";
import type { ColumnLabels, TrainingRecord } from "../../model/index.ts";
import { engineOptionsOf } from "../../runtime/index.ts";
import type { FitEpoch, StopReason } from "../../train/index.ts";
import { type AnomalyReference, AnomalyScorer } from "../anomalies/index.ts";
import type { TableColumn } from "../columns/index.ts";
import { summarizeContext } from "../evaluate/index.ts";
import type { LoadedModel } from "../model/index.ts";
import { trainFlows, withoutConstants } from "./fitFlows.ts";
import { type FitMembersOptions, fitMembers, type Member } from "./fitMembers.ts";
import { trimRows } from "./trimRows.ts";
import { withConstants } from "./withConstants.ts";

/** The rows of a table as features, and what they mean. */
export interface EncodedTable {
  /** The names of the features. */
  readonly columns: readonly string[];
  /** The columns whose values the features encode; undefined if all columns are numbers, which are the features. */
  readonly table?: readonly TableColumn[];
  /** The columns of the context: first those of numbers, then those of labels. */
  readonly given: readonly string[];
  readonly labels: ColumnLabels;
  readonly rows: Dataset;
  /** The features with one value in all rows, by their index. */
  readonly constants: ReadonlyMap<number, number>;
}

/** Options of `fitRows`. */
export interface FitRowsOptions extends Omit<FitMembersOptions, "onMember"> {
  /** Fraction of the rows that training does not see. Default 0.1, or 0 for fewer than 20 rows. */
  readonly testFraction?: number | undefined;
  /** The name of `testFraction` in errors. */
  readonly testFractionName?: string | undefined;
  readonly validationFraction: number;
  readonly seed: number;
  /** The fraction of the training and validation rows that the model does not learn, those with the highest anomaly scores. */
  readonly contamination?: number | undefined;
  /** Called with the parts of the rows before the training. */
  readonly onSplit?: ((rows: SplitWithTest) => Promise<void> | void) | undefined;
  /** Called before each member is trained. `modelsLeft` is the number of models that are trained after the one of this member. */
  readonly onMember?:
    | ((name: string, index: number, names: readonly string[], modelsLeft: number) => void)
    | undefined;
  /** Called with the numbers of the rows that were left out because of `contamination`, and of how many rows they are. */
  readonly onTrimmed?: ((removed: readonly number[], count: number) => void) | undefined;
}

/** A trained model, and how it was trained. */
export interface FittedRows {
  /** What a model file has, with the record of the training. */
  readonly contents: LoadedModel & { readonly training: TrainingRecord };
  readonly flow: Flow;
  /** All training, validation and test rows, including those that were left out because of `contamination`. */
  readonly rows: SplitWithTest;
  /** The same parts without the rows that were left out because of `contamination`. */
  readonly kept: SplitWithTest;
  /** The numbers of the rows that were left out. */
  readonly trimmed: readonly number[];
  readonly anomalies: AnomalyReference | undefined;
  /** The name of the flow, or `default model`. */
  readonly name: string;
  /** The epochs of the flow, or of the best member that was trained by gradient descent, even if it is not part of the mixture. */
  readonly epochs: readonly FitEpoch[];
  readonly bestEpoch: number;
  readonly validationLogDensity: number;
  /** Not of a flow of numbers. */
  readonly members?: readonly Member[];
  /** The number of splits, more than 1 for a cross-validated model. */
  readonly splits?: number;
  /** Only of a model that has learned the validation rows (`FitMembersResult`). */
  readonly validated?: (Split<InMemoryDataset> & { readonly flow: Flow }) | undefined;
  /** The member of `epochs` and `bestEpoch`. */
  readonly trainingCurveMember?: string;
  readonly stopped: StopReason;
}

type Trained = Omit<FittedRows, "contents" | "rows" | "kept" | "trimmed" | "anomalies">;

/**
 * Fits a model to the rows of a table: splits them, leaves out what `contamination` says, trains the default model or a flow, and prepares
 * anomaly scores. `fitTable` and the command line train by this function, so that both write the same model file.
 *
 * @throws ARGUMENT for options that are not valid, and what `fitMembers` and `fit` throw.
 */
export async function fitRows(table: EncodedTable, options: FitRowsOptions): Promise<FittedRows> {
  const { testFraction, testFractionName: name, onSplit, onMember, onTrimmed, ...others } = options;
  const { contamination, validationFraction, ...settings } = others;
  const { checkpoints: _, ...withoutCheckpoints } = settings;
  const { seed, maxMinutes, signal } = settings;
  const rows = splitWithTest(table.rows, { testFraction, validationFraction, seed, ...(name && { name }) });
  await onSplit?.(rows);
  // Two models share the time.
  const time = contamination !== undefined && maxMinutes !== undefined && { maxMinutes: maxMinutes / 2 };
  const { removed, ...kept } = await keptRows(table, rows, contamination, {
    ...withoutCheckpoints,
    ...time,
    ...(onMember && { onMember: (name, index, names) => onMember(name, index, names, 1) }),
  });
  if (contamination !== undefined && table.table)
    onTrimmed?.(removed, rows.training.rows + rows.validation.rows);
  const trained = await train(table, kept, {
    ...settings,
    ...time,
    ...(onMember && { onMember: (name, index, names) => onMember(name, index, names, 0) }),
  });
  const anomalies = signal?.aborted ? undefined : await anomalyReference(table, kept, trained, settings);
  const { columns, given, labels } = table;
  const { flow } = trained;
  flow.columns = columns;
  const contents = {
    flow,
    columns,
    given,
    ...(table.table && { table: table.table }),
    ...(labels.size > 0 && { labels: [...labels.values()] }),
    training: trainingRecord(table, kept, trained, { testFraction, validationFraction, seed }),
    ...(anomalies && { anomalies }),
  };
  return { ...trained, contents, rows, kept, trimmed: removed, anomalies };
}

/** The rows to learn, without the fraction `contamination` of the training and validation rows. The test rows stay as they are. */
async function keptRows(
  { table }: EncodedTable,
  { training, validation, test }: SplitWithTest,
  contamination: number | undefined,
  options: FitMembersOptions,
): Promise<SplitWithTest & { readonly removed: readonly number[] }> {
  if (contamination === undefined || !table) return { training, validation, test, removed: [] };
  if (!(training instanceof InMemoryDataset)) {
    throw new PushforwardError("ARGUMENT", "The table is too large for the option contamination", {
      expected: "a table that fits in memory",
      hint: "Leave the option out, or choose some of the rows by a query.",
    });
  }
  return { ...(await trimRows(table, { training, validation }, contamination, options)), test };
}

/** Trains the members of the default model, or the flow of `recipe`. */
async function train(
  { table, constants }: EncodedTable,
  rows: SplitWithTest,
  options: FitMembersOptions,
): Promise<Trained> {
  if (table) {
    const { trainingCurve, ...result } = await fitMembers(table, rows, options);
    const { members } = result;
    const name = members.length === 1 ? members[0]!.name : "default model";
    const { name: trainingCurveMember, epochs, bestEpoch } = trainingCurve;
    return { ...result, name, trainingCurveMember, epochs, bestEpoch };
  }
  const { recipe, kernel: _, budget: __, onMember, ...others } = options;
  const result = await trainFlows(
    withoutConstants(rows, constants),
    rows.training.rows + rows.validation.rows,
    {
      ...others,
      ...(recipe && { recipes: { [recipe.name]: recipe.flow } }),
      ...(onMember && { onFlow: (name) => onMember(name, 0, [name]) }),
    },
  );
  return { ...result, flow: withConstants(result.flow, constants) };
}

/** The calibration scores and training rows that anomaly scores need. Only models of tables without a context have them. */
async function anomalyReference(
  { table, given }: EncodedTable,
  { training, validation, test }: SplitWithTest,
  { flow, validated }: Trained,
  { kernel = true, ...options }: FitMembersOptions,
): Promise<AnomalyReference | undefined> {
  if (!table || given.length > 0) return undefined;
  const learned = validated ?? { training, validation };
  return AnomalyScorer.fit(
    table,
    flow,
    { training: learned.training.sample, validation: learned.validation, test },
    { keepRows: kernel, flowBeforeValidationRows: validated?.flow, ...engineOptionsOf(options) },
  );
}

/** How the model was trained, from which `report`, `score` and `evaluate` recognize its rows. */
function trainingRecord(
  { rows: all, given, labels }: EncodedTable,
  { training, validation }: SplitWithTest,
  { epochs, bestEpoch, validationLogDensity, members, validated }: Trained,
  {
    testFraction,
    validationFraction,
    seed,
  }: Pick<FitRowsOptions, "testFraction" | "validationFraction" | "seed">,
): TrainingRecord {
  return {
    rows: training.rows + validation.rows,
    seed,
    split: { test: testFractionOf(all.rows, testFraction), validation: validationFraction },
    ...(all instanceof InMemoryDataset && { fingerprint: fingerprint(null, [all.values]) }),
    ...(validated && { learnedValidationRows: true }),
    epochs: epochs.length,
    bestEpoch,
    validationLogDensity,
    ...(members && {
      members: members.map(({ name, weight, validationLogDensity }) => ({
        name,
        weight,
        validationLogDensity,
      })),
    }),
    ...(given.length > 0 && { given: summarizeContext([training, validation], given, labels) }),
  };
}
