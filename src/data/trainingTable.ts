import { type ColumnNote, columnNotes } from "../columns/index.ts";
import { type Dataset, type InMemoryDataset, StreamedDataset } from "../dataset/index.ts";
import type { ContextEmbeddingOptions } from "../distributions/contextEmbedding.ts";
import { PushforwardError } from "../errors.ts";
import type { TableColumn } from "../tables/tableColumn.ts";
import { columnHint, type NotedTable } from "./columnHints.ts";
import { columnList } from "./columnList.ts";
import { excludeColumns } from "./columnSelection.ts";
import type { DescribedColumn } from "./describeTable.ts";
import { readEncodedTable, type TableColumnsOptions } from "./encodedTable.ts";
import { type Labels, readLabels, withLabels } from "./labels.ts";
import { openTable, type Table, type TableOptions } from "./table.ts";
import { checkMinimumRows, readRows, streamRows } from "./tableRows.ts";

/** Options of `readTrainingTable`. */
export interface TrainingTableOptions extends TableOptions, TableColumnsOptions {
  /** The columns to learn. Default: all columns that are not given, which must then be numeric unless `kinds` is set. */
  readonly columns?: readonly string[] | undefined;
  /** Columns not to learn. */
  readonly exclude?: readonly string[] | undefined;
  /** The columns that the others are conditional on: numbers, or text with at most 256 different labels. */
  readonly given?: readonly string[] | undefined;
  /** Tables of more numbers are streamed. Default 2^24, that is 128 MB or 1.5 million rows of 11 columns. */
  readonly maxNumbersInMemory?: number;
  /** Chooses the sample of a streamed table. Default 0. */
  readonly seed?: number;
}

/** Rows of a table to fit a flow to. */
export interface TrainingTable {
  /** The names of the features: with `table` those of the features that its values are encoded by, otherwise those of the columns. */
  readonly columns: readonly string[];
  /** The columns of any kind whose values the features encode; undefined if all columns are numbers as they are. */
  readonly table?: readonly TableColumn[];
  /** What each column of the table is taken for, including those that are left out. */
  readonly described?: readonly DescribedColumn[];
  /** The columns of the context: first those of numbers, then those of labels. */
  readonly given: readonly string[];
  readonly labels: Labels;
  /** The embedding that the labels need; an option of `fitFlows`. */
  readonly embedding: ContextEmbeddingOptions | undefined;
  /** All rows without a missing value. */
  readonly rows: Dataset;
  /** The columns with one value in all rows, by their index among `columns`. */
  readonly constants: ReadonlyMap<number, number>;
  /** How many rows are left out because a value is missing. */
  readonly missing: number;
  /** What makes log-densities of the table misleading, with hints that contain queries; from the sample of a streamed table. */
  notes(): ColumnNote[];
  /** Ends all reading of the rows. A table in memory is closed already. */
  close(): Promise<void>;
}

/** 128 MB. Training in memory makes several copies of the numbers. */
const MAX_NUMBERS_IN_MEMORY = 2 ** 24;

/**
 * Reads columns of a table to fit a flow to them, for example by `fitFlows`. Text in the given columns becomes class labels.
 * A large table is read once for a sample, and again in each epoch.
 *
 * @throws FILE, DATA or ARGUMENT when the table cannot be read, a column cannot be learned, all columns or a given column are
 *   constant, or fewer than two rows are complete; INTERRUPTED.
 */
export async function readTrainingTable(
  source: string | readonly string[],
  options: TrainingTableOptions = {},
): Promise<TrainingTable> {
  const { seed = 0, maxNumbersInMemory = MAX_NUMBERS_IN_MEMORY } = options;
  const opened = await openTable(source, options);
  if (options.kinds) {
    return readEncodedTable(opened, { ...options, kinds: options.kinds }).catch(async (error: unknown) => {
      await opened.close();
      throw error;
    });
  }
  try {
    const labels = await readLabels(opened, options.given ?? []);
    const table = withLabels(opened, labels);
    const { columns, given } = await chooseColumns(table, options, labels);
    const streamed = table.rows * (columns.length + given.length) > maxNumbersInMemory;
    const rows = streamed
      ? await StreamedDataset.of(streamRows(table, columns, { given }), { seed })
      : await readRows(table, columns, { given });
    const missing = table.rows - rows.rows;
    checkMinimumRows({ rows: rows.rows, missing }, table.source);
    checkConstants(rows, { columns, given, labels }, table.source);
    if (!streamed) await opened.close();
    const classes = [...labels.values()].map(({ length }) => length);
    const { sample } = rows;
    const hintSource = { source: sqlOf(table, [source].flat()[0]!), chosen: options.columns };
    return {
      columns,
      given,
      labels,
      embedding: classes.length > 0 ? { numbers: given.length - classes.length, classes } : undefined,
      rows,
      constants: rows.constants.values,
      missing,
      notes: () => notesOf(sample, { columns, given, labels, constants: rows.constants.values }, hintSource),
      close: async () => {
        if (streamed) await opened.close();
      },
    };
  } catch (error) {
    await opened.close();
    throw error;
  }
}

/** Notes on the columns that vary and on the numbers of the context, with hints that fit the table. */
function notesOf(
  sample: InMemoryDataset,
  { columns, given, labels, constants }: Pick<TrainingTable, "columns" | "given" | "labels" | "constants">,
  hintSource: Pick<NotedTable, "source" | "chosen">,
): ColumnNote[] {
  const { rows, values, context, contextFeatures } = sample.withoutColumns(constants);
  const learned = { columns: columns.filter((_, i) => !constants.has(i)), rows, values };
  const width = given.length - labels.size;
  const numbers = labels.size === 0 ? context : context.filter((_, i) => i % contextFeatures < width);
  const givenNumbers = { columns: given.slice(0, width), rows, values: numbers };
  const table = { ...hintSource, learned, given: givenNumbers, givenNames: given };
  return columnNotes({ ...learned, given: givenNumbers }).map((note) => ({
    ...note,
    hint: columnHint(note, table),
  }));
}

async function chooseColumns(
  table: Table,
  { columns, exclude, given = [] }: TrainingTableOptions,
  labels: Labels,
): Promise<{ columns: string[]; given: string[] }> {
  const numeric = given.length > 0 ? await table.numericColumns(given, { use: "given" }) : [];
  const context = [...numeric.filter((name) => !labels.has(name)), ...labels.keys()];
  const others = table.columns.map(({ name }) => name).filter((name) => !context.includes(name));
  const candidates = columns ?? (context.length > 0 ? others : undefined);
  const excludedAndGiven = exclude?.find((name) => context.includes(name));
  if (excludedAndGiven !== undefined) {
    throw new PushforwardError(
      "ARGUMENT",
      `The column "${excludedAndGiven}" is both in --exclude and in --given`,
      { hint: "Remove it from one of them." },
    );
  }
  const chosen = await table.numericColumns(
    exclude ? excludeColumns(table, candidates ?? others, exclude) : candidates,
    { given: context },
  );
  if (chosen.length === 0) {
    const option = exclude ? "--exclude" : "--given";
    throw new PushforwardError("ARGUMENT", `${option} leaves no column of ${table.source} to learn`, {
      hint: `Name fewer columns in ${option}.`,
    });
  }
  const learnedAndGiven = chosen.find((name) => context.includes(name));
  if (learnedAndGiven === undefined) return { columns: chosen, given: context };
  const rest = chosen.filter((name) => name !== learnedAndGiven);
  throw new PushforwardError(
    "ARGUMENT",
    `The column "${learnedAndGiven}" is both in --columns and in --given`,
    { hint: `Remove it from one of them${rest.length > 0 ? `: --columns ${columnList(rest)}` : "."}` },
  );
}

/** Refuses a table of constants only, whose density says nothing, and a constant context, on which nothing depends. */
function checkConstants(
  { rows, constants }: Dataset,
  { columns, given, labels }: Pick<TrainingTable, "columns" | "given" | "labels">,
  source: string,
): void {
  const refuse = (what: string, values: readonly (number | string)[], hint: string) =>
    new PushforwardError("DATA", `${what} constant`, {
      expected: "at least two different values",
      received: `${values.join(", ")} in all ${rows} rows`,
      hint,
    });
  for (const [column, value] of constants.context) {
    const name = given[column]!;
    const label = labels.get(name)?.[value] ?? value;
    throw refuse(`The column "${name}" of ${source} is`, [label], "Leave it out of --given.");
  }
  if (constants.values.size < columns.length) return;
  const what =
    columns.length === 1 ? `The column "${columns[0]}" of ${source} is` : `All columns of ${source} are`;
  throw refuse(what, [...constants.values.values()], "Give a column that varies.");
}

/** In characters. A hint repeats the query of the user only if it is shorter. */
const MAX_QUERY_LENGTH = 500;

/** SQL that reads the table: its file, or the query that it comes from. */
const sqlOf = (table: Table, source: string): string =>
  table.source === "the query" && source.length <= MAX_QUERY_LENGTH
    ? `(${source.trim().replace(/;$/, "")})`
    : (table.inQuery() ?? "...");
