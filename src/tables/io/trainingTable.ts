import {
  anyValue,
  checkOptions,
  listOfTexts,
  numberFrom,
  type OptionRules,
  seedValue,
  trueOrFalse,
} from "../../check/index.ts";
import type { Communicator } from "../../communicator/index.ts";
import { type Dataset, InMemoryDataset, StreamedDataset } from "../../dataset/index.ts";
import type { ContextEmbeddingOptions } from "../../distributions/index.ts";
import type { ColumnOptions, TableColumn } from "../columns/index.ts";
import { type ColumnNote, notesOn } from "../notes/index.ts";
import type { ColumnKind } from "../options/index.ts";
import { columnHint, type HintSource } from "./columnHints.ts";
import { isNumeric } from "./columnTypes.ts";
import { checkContext, constantError } from "./constantError.ts";
import type { DescribedColumn } from "./describeTable.ts";
import { readEncodedTable } from "./encodedTable.ts";
import { type Labels, numbersOfContext, readLabels, withLabels } from "./labels.ts";
import { mergedIntegerColumns, mergedIntegersError } from "./largeIntegers.ts";
import { contextColumns, learnedColumns } from "./learnedColumns.ts";
import { examineColumn, type NonNumericColumn } from "./nonNumericColumns.ts";
import { subquery } from "./query.ts";
import { readOnRankZero } from "./readOnRankZero.ts";
import { openTable, type Table, type TableOptions, tableRules } from "./table.ts";
import { checkMinimumRows, readRows, streamRows } from "./tableRows.ts";

/** Options of `readTrainingTable`. */
export interface TrainingTableOptions extends TableOptions {
  /** The columns to learn. Default: all columns that are not given, which must then be numeric unless `kinds` is set. */
  readonly columns?: readonly string[] | undefined;
  /** Columns not to learn. Default none. */
  readonly exclude?: readonly string[] | undefined;
  /**
   * Allows columns of any kind, also with missing values. The kinds or options of learned columns, by their names, replace those that are
   * inferred from the values; those of given columns are ignored, and `{}` replaces none. Default: columns must be numbers, and rows with a
   * missing value are left out.
   */
  readonly kinds?: Readonly<Record<string, ColumnOptions | ColumnKind>> | undefined;
  /**
   * Whether `kinds` applies only if a column to learn is not a number, if it has integers beyond 2^53 that would become equal as numbers, or if
   * a kind is stated. Default false.
   */
  readonly onlyIfMixed?: boolean | undefined;
  /**
   * Whether the model gives frequent values of continuous columns probabilities, as the default model of a table does. If not, the notes on
   * the columns include those about repeated values. Default true.
   */
  readonly hasAtoms?: boolean | undefined;
  /** The columns that the others are conditional on: numbers, or text with at most 256 different labels. Default none. */
  readonly given?: readonly string[] | undefined;
  /** A table with more values (rows times columns) is streamed. Default 2^24, that is 128 MB or 1.5 million rows of 11 columns. */
  readonly maxNumbersInMemory?: number | undefined;
  /** Chooses the sample of a streamed table. Default 0. */
  readonly seed?: number | undefined;
  /**
   * The processes that train on the table together, such as those of `mpiCommunicator`. Only rank 0 reads the table, and sends what it found
   * to the others; the training must have the same communicator. Default: this process only.
   */
  readonly communicator?: Communicator | undefined;
}

const trainingRules: OptionRules<TrainingTableOptions> = {
  ...tableRules,
  columns: listOfTexts,
  exclude: listOfTexts,
  kinds: anyValue,
  onlyIfMixed: trueOrFalse,
  hasAtoms: trueOrFalse,
  given: listOfTexts,
  maxNumbersInMemory: numberFrom(0),
  seed: seedValue,
  communicator: anyValue,
};

/** Rows of a table to fit a flow to. */
export interface TrainingTable {
  /** The names of the features: if `table` is set, of those that encode its values; otherwise the names of the columns. */
  readonly columns: readonly string[];
  /** The columns of any kind whose values the features encode; undefined if all columns are numbers, which are the features. */
  readonly table?: readonly TableColumn[];
  /** The kinds of all columns of the table, including those that are left out. */
  readonly described?: readonly DescribedColumn[];
  /** The columns of the context: first those of numbers, then those of labels. */
  readonly given: readonly string[];
  readonly labels: Labels;
  /** The embedding that the labels need; an option of `fitFlows`. */
  readonly embedding: ContextEmbeddingOptions | undefined;
  /** The rows without a missing value; with `table`, those without a missing value of the context. */
  readonly rows: Dataset;
  /** The columns with one value in all rows, by their index among `columns`. */
  readonly constants: ReadonlyMap<number, number>;
  /** How many rows are left out because a value is missing. */
  readonly missing: number;
  /**
   * What makes log-densities of the table misleading, with hints that contain queries; from the sample of a streamed table. With `table`
   * these are notes on its continuous columns; with `hasAtoms` too, without those about repeated values (`fewValues`, `grid` and `atoms`),
   * which have probabilities.
   */
  notes(): ColumnNote[];
  /** Ends all reading of the rows. A table in memory is closed already. */
  close(): Promise<void>;
}

/** The columns that a model learns, and its context: first the columns of numbers, then those of labels. */
export type ChosenColumns = Pick<TrainingTable, "columns" | "given" | "labels">;

/** The rows of an open table. */
export type ReadRows = Omit<TrainingTable, "close">;

/** 128 MB. Training in memory makes several copies of the numbers. */
const MAX_NUMBERS_IN_MEMORY = 2 ** 24;

/**
 * Reads columns of a table to fit a flow to them, for example by `fitFlows`. Text in the given columns becomes class labels.
 * A large table is read once for a sample, and again in each epoch.
 *
 * @throws FILE, DATA or ARGUMENT when the table cannot be read, a column cannot be learned, all columns or a given column are
 *   constant, different integers beyond 2^53 would become equal as numbers, or fewer than two rows are complete; INTERRUPTED.
 */
export async function readTrainingTable(
  source: string | readonly string[],
  options: TrainingTableOptions = {},
): Promise<TrainingTable> {
  checkOptions("readTrainingTable", options, trainingRules);
  const { communicator, ...ofTable } = options;
  return readOnRankZero(communicator, () => readTable(source, ofTable));
}

async function readTable(
  source: string | readonly string[],
  options: Omit<TrainingTableOptions, "communicator">,
): Promise<TrainingTable> {
  const { columns, exclude, kinds, seed = 0, maxNumbersInMemory = MAX_NUMBERS_IN_MEMORY } = options;
  const { onlyIfMixed = false, hasAtoms = true, na, decimal, delimiter, signal } = options;
  const opened = await openTable(source, { na, decimal, delimiter, signal });
  try {
    const labels = await readLabels(opened, options.given ?? []);
    const table = withLabels(opened, labels);
    const given = await contextColumns(table, options.given ?? [], labels);
    const chosen = { columns: learnedColumns(table, given, { columns, exclude }), given, labels };
    const statesKinds = kinds && (!onlyIfMixed || Object.keys(kinds).length > 0);
    const givenNumbers = given.filter((name) => !labels.has(name));
    // Columns with kinds are read as text if their integers would become equal as numbers.
    const merged = await mergedIntegerColumns(table, [
      ...givenNumbers,
      ...(statesKinds ? [] : chosen.columns),
    ]);
    const usesKinds = statesKinds || (kinds && (await isMixed(table, chosen.columns, merged)));
    const refused = merged.find((name) => !usesKinds || givenNumbers.includes(name));
    if (refused !== undefined) throw mergedIntegersError(table, refused);
    const hintSource = { source: sqlOf(table, [source].flat()[0]!), chosen: columns };
    const read = usesKinds
      ? await readEncodedTable(table, chosen, { kinds, seed, maxNumbersInMemory, hasAtoms, hintSource })
      : await readNumbers(table, chosen, { columns, seed, maxNumbersInMemory, hintSource });
    const isStreamed = !(read.rows instanceof InMemoryDataset);
    if (!isStreamed) await opened.close();
    return {
      ...read,
      close: async () => {
        if (isStreamed) await opened.close();
      },
    };
  } catch (error) {
    await opened.close();
    throw error;
  }
}

/** The kinds of columns whose text is meant as numbers. They are not learned as labels: an error tells how to convert them. */
const MEANT_AS_NUMBERS = new Set<NonNumericColumn["kind"]>([
  "numbers",
  "words",
  "decimalCommas",
  "thousands",
  "commas",
]);

/**
 * Whether some columns hold other values than numbers, none of them text that is meant as numbers. Columns in `merged` are read as text: see
 * `mergedIntegerColumns`.
 */
async function isMixed(table: Table, names: readonly string[], merged: readonly string[]): Promise<boolean> {
  const nonNumeric = table.columns.filter((column) => names.includes(column.name) && !isNumeric(column));
  for (const column of nonNumeric) {
    if (MEANT_AS_NUMBERS.has((await examineColumn(table, column)).kind)) return false;
  }
  return nonNumeric.length > 0 || names.some((name) => merged.includes(name));
}

/** Reads columns of numbers. Rows with a missing value are left out. */
async function readNumbers(
  table: Table,
  { columns: names, given, labels }: ChosenColumns,
  options: {
    readonly columns: readonly string[] | undefined;
    readonly seed: number;
    readonly maxNumbersInMemory: number;
    readonly hintSource: HintSource;
  },
): Promise<ReadRows> {
  const isWhole = names.length === table.columns.length && options.columns === undefined;
  const columns = await table.numericColumns(isWhole ? undefined : names, { given });
  const isStreamed = table.rows * (columns.length + given.length) > options.maxNumbersInMemory;
  const rows = isStreamed
    ? await StreamedDataset.of(streamRows(table, columns, { given }), { seed: options.seed })
    : await readRows(table, columns, { given });
  const missing = table.rows - rows.rows;
  checkMinimumRows({ rows: rows.rows, missing }, table.source);
  checkContext(rows, { given, labels }, table.source);
  const constants = rows.constants.values;
  if (constants.size === columns.length)
    throw constantError(
      columns,
      table.source,
      `${[...constants.values()].join(", ")} in all ${rows.rows} rows`,
    );
  const classes = [...labels.values()].map(({ length }) => length);
  const { sample } = rows;
  return {
    columns,
    given,
    labels,
    embedding: classes.length > 0 ? { numbers: given.length - classes.length, classes } : undefined,
    rows,
    constants,
    missing,
    notes: () => notesOf(sample, { columns, given, labels, constants }, options.hintSource),
  };
}

/** Notes on the columns that vary and on the numbers of the context, with hints that contain queries of the table. */
function notesOf(
  sample: InMemoryDataset,
  { columns, given, labels, constants }: Pick<TrainingTable, "columns" | "given" | "labels" | "constants">,
  hintSource: HintSource,
): ColumnNote[] {
  const varying = sample.withoutColumns(constants);
  const { rows, values } = varying;
  const learned = { columns: columns.filter((_, i) => !constants.has(i)), rows, values };
  const numbers = numbersOfContext(varying, { given, labels });
  const table = { ...hintSource, learned, given: numbers, givenNames: given };
  return notesOn(learned, { given: numbers, wholeRows: varying }).map((note) => ({
    ...note,
    hint: columnHint(note, table),
  }));
}

/** In characters. A hint repeats the query of the user only if it is shorter. */
const MAX_QUERY_LENGTH = 500;

/** SQL that reads the table: its file, or the query that it comes from. */
function sqlOf(table: Table, source: string): string {
  if (table.source === "the query" && source.length <= MAX_QUERY_LENGTH) return subquery(source);
  return table.inQuery() ?? "...";
}
