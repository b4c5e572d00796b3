import { count, counted, PushforwardError } from "../check/index.ts";
import type { EngineOptions } from "../runtime/index.ts";
import { learnedColumns, type UnlearnedValues } from "../tables/columns/index.ts";
import { ModelScorer, type ModelScorerOptions } from "../tables/evaluate/index.ts";
import { allFeatures, openTable, scoreTable, type Table } from "../tables/io/index.ts";
import { type LoadedModel, TableModel } from "../tables/model/index.ts";
import { BOUND_NOTE } from "./boundNote.ts";
import { type EngineValues, engineOf } from "./engine.ts";
import { refuseOptions } from "./imageModels.ts";
import type { Io } from "./io.ts";
import { unknownColumn } from "./knownValues.ts";
import { Messages } from "./messages.ts";
import type { ReadOptions } from "./options.ts";
import { noteMembersUsed, requireTableModel } from "./requireTableModel.ts";
import { unlearnedError, unlearnedText } from "./unlearnedText.ts";

/** A table and the log-densities of its rows under a model, which `scores` yields; the scorer has their mean after that. */
interface Scoring {
  readonly scorer: ModelScorer;
  readonly table: Table;
  readonly scores: AsyncGenerator<Float64Array>;
}

/** Options of `scoreSource`. */
export interface ScoringOptions extends ReadOptions, EngineValues {
  /** The path of the model. */
  readonly model: string;
  readonly data: readonly string[];
  /** Draws of noise for each image. More than 1 is refused, because the rows are not images. */
  readonly draws: number;
  /** Whether classes of images are predicted. True is refused, because the rows are not images. */
  readonly classify: boolean;
  /** Whether values that the model did not learn are an error. */
  readonly strict?: boolean;
  /** Columns to score, given the columns `given`. Default: all columns of the model. */
  readonly of?: readonly string[];
  readonly given?: readonly string[];
}

/** The names of all columns of a model. If an added column of scores has one of these names, it is renamed. */
export const columnsOfModel = (model: LoadedModel): string[] => [...learnedColumns(model), ...model.given];

/** Opens the table that a command names, lets `use` consume its scores under a model (`scoreOpenTable`), and closes it. */
export async function scoreSource<T>(
  model: LoadedModel,
  {
    model: path,
    data,
    draws,
    classify,
    na,
    decimal,
    delimiter,
    strict,
    of = [],
    given = [],
    ...engine
  }: ScoringOptions,
  io: Io,
  use: (scoring: Scoring) => Promise<T>,
): Promise<T> {
  const run = engineOf(engine);
  refuseOptions({ draws: draws > 1, classify }, "images");
  const conditional =
    of.length > 0 ? TableModel.from(requireTableModel(model, path, "score --of")) : undefined;
  if (conditional) noteMembersUsed(conditional, new Messages(io));
  const table = await openTable(data, { na, decimal, delimiter, signal: io.interrupted });
  try {
    const compute = conditional && conditionalScores(conditional, of, given, run);
    return await scoreOpenTable(model, table, { run, strict, of, given, compute }, io, use);
  } finally {
    await table.close();
    await conditional?.release();
  }
}

/** Lets `use` consume the scores of a table that is open already, and prints warnings about its rows. */
export async function scoreOpenTable<T>(
  model: LoadedModel,
  table: Table,
  {
    run,
    strict,
    of = [],
    given = [],
    compute,
    label = "",
  }: Pick<ScoringOptions, "strict" | "of" | "given"> &
    Pick<ModelScorerOptions, "compute"> & {
      readonly run: EngineOptions;
      /** The beginning of each message, which says of which model it is. Default empty. */
      readonly label?: string;
    },
  io: Io,
  use: (scoring: Scoring) => Promise<T>,
): Promise<T> {
  const messages = new Messages(io);
  const warn = (text: string) => messages.warn(`${label}${text}`);
  try {
    const scorer = new ModelScorer(model, {
      ...run,
      source: table.source,
      ...(table.relation.files && { rowText: (row) => table.rowText(row) }),
      ...(compute && { compute }),
    });
    const unlearned: UnlearnedValues[] = [];
    const scores = scoreTable(scorer, table, {
      onProgress: (rows) => messages.rowProgress(rows, table.rows),
      onUnlearned(values) {
        // Rows without a value that the model needs have no log-density, as in models of numbers.
        const refused = strict && values.find(({ kind }) => kind !== "incomplete");
        if (refused) throw unlearnedError(unlearnedText(refused, table, model.table), STRICT_HINT);
        // A dequantized label has an interval of numbers only if training saw it, so the density of a new label is 0.
        const asImpossible = (each: UnlearnedValues): UnlearnedValues =>
          each.kind === "unseen" && model.flow.isBound ? { ...each, kind: "impossible" } : each;
        unlearned.push(...values.map(asImpossible));
      },
      ...(of.length > 0 && { columns: [...of, ...given] }),
    });
    const result = await use({
      scorer,
      table,
      scores: strict ? withoutImpossible(scores, scorer, table) : scores,
    });
    messages.clearProgress();
    if (model.flow.isBound) messages.print(`${label}${BOUND_NOTE}`);
    for (const values of unlearned) warn(unlearnedText(values, table, model.table));
    const scored = scorer.logDensity.count;
    if (scorer.impossibleRows === scored) {
      warn(
        `The model considers all ${counted(scored, "scored row")} of ${table.source} impossible. Check that the columns have the units of the training table, or fit the model to a table that has such rows too.`,
      );
    }
    const missing = table.rows - scored;
    if (missing > 0) {
      const have = missing === 1 ? "has" : "have";
      warn(
        `${count(missing)} of ${counted(table.rows, "row")} ${have} no log-density because a value is missing.`,
      );
    }
    for (const warning of scorer.warnings()) warn(warning);
    return result;
  } finally {
    messages.clearProgress();
  }
}

const STRICT_HINT = "Without --strict these rows are scored.";

/** The same scores. Throws `DATA` after the last of them, before a file is written, if the model considers rows impossible. */
async function* withoutImpossible(
  scores: AsyncGenerator<Float64Array>,
  scorer: ModelScorer,
  { source }: Table,
): AsyncGenerator<Float64Array> {
  yield* scores;
  const { impossibleRows, logDensity } = scorer;
  if (impossibleRows === 0) return;
  const rows = `${count(impossibleRows)} of ${counted(logDensity.count, "scored row")} of ${source}`;
  throw new PushforwardError("DATA", `The model considers ${rows} impossible`, {
    expected: "a log-density above -Infinity",
    hint: STRICT_HINT,
  });
}

/** The function that computes log p(of | given) of rows that have the features of these columns. */
function conditionalScores(
  model: TableModel,
  of: readonly string[],
  given: readonly string[],
  run: EngineOptions,
): ModelScorerOptions["compute"] {
  const names = model.columns.map(({ name }) => name);
  const unknown = [...of, ...given].find((name) => !names.includes(name));
  if (unknown !== undefined) throw unknownColumn(unknown, names);
  const repeated = of.find((name) => given.includes(name));
  if (repeated !== undefined) {
    throw new PushforwardError("ARGUMENT", `The column "${repeated}" is both in --of and in --given`, {
      hint: "Remove it from one of them.",
    });
  }
  return (rows) => model.conditionalScore(allFeatures(model, rows), of, given, run);
}
