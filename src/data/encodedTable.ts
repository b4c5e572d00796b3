import { type ColumnNote, columnNotes } from "../columns/index.ts";
import { InMemoryDataset } from "../dataset/index.ts";
import { PushforwardError } from "../errors.ts";
import { type ColumnKind, type ColumnOptions, checkColumnOptions } from "../tables/columnOptions.ts";
import { encodeColumn, withLabelsOf } from "../tables/encode.ts";
import { inferColumn } from "../tables/inferColumn.ts";
import { featureNames, type RawColumn, type TableColumn } from "../tables/tableColumn.ts";
import { quotedNames } from "./columnList.ts";
import { excludeColumns, findColumn } from "./columnSelection.ts";
import { readLabels, withLabels } from "./labels.ts";
import { readColumns } from "./readColumns.ts";
import type { Table } from "./table.ts";
import { checkMinimumRows } from "./tableRows.ts";
import type { TrainingTable, TrainingTableOptions } from "./trainingTable.ts";

/** How tables with columns of any kind are read. */
export interface TableColumnsOptions {
  /** Allows columns of any kind. What is stated about a column, by its name, replaces what is inferred from its values. */
  readonly kinds?: Readonly<Record<string, ColumnOptions | ColumnKind>>;
}

/**
 * Reads a table with columns of any kind for training: infers the kind of each column, and encodes the values as features. Rows with
 * missing values stay, except for those in which a value of the context is missing.
 */
export async function readEncodedTable(
  opened: Table,
  options: TrainingTableOptions & Required<TableColumnsOptions>,
): Promise<TrainingTable> {
  const { given = [] } = options;
  const labels = await readLabels(opened, given);
  const withCodes = withLabels(opened, labels);
  const numeric = given.length > 0 ? await withCodes.numericColumns(given, { use: "given" }) : [];
  const context = [...numeric.filter((name) => !labels.has(name)), ...labels.keys()];
  const names = learnedNames(opened, context, options);
  const kinds = checkColumnOptions(
    options.kinds,
    opened.columns.map(({ name }) => name),
  );
  const categorical = [...kinds].flatMap(([name, { kind }]) => (kind === "categorical" ? [name] : []));
  const excludedByUser = [...kinds].flatMap(([name, { kind }]) => (kind === "exclude" ? [name] : []));
  const read = await readColumns(
    opened,
    names.filter((name) => !excludedByUser.includes(name)),
    { categorical },
  );
  const excluded = new Map(read.excluded);
  const contextColumns = context.length > 0 ? (await readColumns(withCodes, context)).columns : [];
  const kept = completeRows(contextColumns, opened.rows);
  const missing = opened.rows - kept.length;
  checkMinimumRows({ rows: kept.length, missing }, opened.source);
  checkContext(contextColumns, kept, opened.source);

  const table: TableColumn[] = [];
  const features: Float64Array[] = [];
  for (const raw of read.columns.map((column) => select(column, kept))) {
    const inferred = inferColumn(raw, kinds.get(raw.name));
    if ("excluded" in inferred) excluded.set(raw.name, inferred.excluded);
    else {
      table.push(inferred.column);
      features.push(...encodeColumn(inferred.column, withLabelsOf(inferred.column, raw)));
    }
  }
  if (features.length === 0) throw nothingToLearn(opened, table, excluded);
  const columns = table.flatMap(featureNames);
  const classes = [...labels.values()].map(({ length }) => length);
  const rows = new InMemoryDataset({
    features: columns.length,
    columns,
    contextColumns: context,
    values: rowMajor(features, kept.length),
    ...(context.length > 0 && {
      context: rowMajor(
        contextColumns.map((column) => select(column, kept).values),
        kept.length,
      ),
    }),
    rowNumbers: kept.map((row) => row + 1),
  });
  return {
    columns,
    table,
    excluded,
    given: context,
    labels,
    embedding: context.length > 0 ? { numbers: context.length - classes.length, classes } : undefined,
    rows,
    constants: new Map(),
    missing,
    notes: () => notesOf(table, read.columns, kept),
    close: async () => {},
  };
}

/** The columns to learn: those that are named, or all, without the excluded ones and those of the context. */
function learnedNames(
  table: Table,
  context: readonly string[],
  { columns, exclude = [] }: TrainingTableOptions,
): string[] {
  const both = (what: string, name: string) =>
    new PushforwardError("ARGUMENT", `The column "${name}" is both in ${what} and in --given`, {
      hint: "Remove it from one of them.",
    });
  const chosen = columns?.map((name, i) => findColumn(table, name, columns.indexOf(name) < i).name);
  const inContext = chosen?.find((name) => context.includes(name));
  if (inContext !== undefined) throw both("--columns", inContext);
  const excludedContext = exclude.find((name) => context.includes(name));
  if (excludedContext !== undefined) throw both("--exclude", excludedContext);
  const others = table.columns.map(({ name }) => name).filter((name) => !context.includes(name));
  const names = excludeColumns(table, chosen ?? others, exclude);
  if (names.length > 0) return names;
  const option = exclude.length > 0 ? "--exclude" : "--given";
  throw new PushforwardError("ARGUMENT", `${option} leaves no column of ${table.source} to learn`, {
    hint: `Name fewer columns in ${option}.`,
  });
}

/** The indices of the rows in which no value of the context is missing. */
const completeRows = (context: readonly RawColumn[], rows: number): Int32Array =>
  Int32Array.from({ length: rows }, (_, row) => row).filter((row) =>
    context.every(({ values }) => !Number.isNaN(values[row]!)),
  );

function checkContext(context: readonly RawColumn[], kept: Int32Array, source: string): void {
  for (const { name, values } of context) {
    const first = values[kept[0]!];
    if (kept.some((row) => values[row] !== first)) continue;
    throw new PushforwardError("DATA", `The column "${name}" of ${source} is constant`, {
      expected: "at least two different values",
      received: `${first} in all ${kept.length} rows`,
      hint: "Leave it out of --given.",
    });
  }
}

const select = (column: RawColumn, rows: Int32Array): RawColumn =>
  rows.length === column.values.length
    ? column
    : { ...column, values: Float64Array.from(rows, (row) => column.values[row]!) };

function rowMajor(columns: readonly Float64Array[], rows: number): Float64Array {
  const values = new Float64Array(rows * columns.length);
  columns.forEach((column, c) => {
    for (let n = 0; n < rows; n++) values[n * columns.length + c] = column[n]!;
  });
  return values;
}

function nothingToLearn(
  { source }: Table,
  constants: readonly TableColumn[],
  excluded: ReadonlyMap<string, string>,
): PushforwardError {
  if (constants.length > 0) {
    return new PushforwardError("DATA", `All columns of ${source} are constant`, {
      expected: "a column with at least two different values",
      received: quotedNames(constants.map(({ name }) => name)),
      hint: "Give a column that varies.",
    });
  }
  return new PushforwardError("DATA", `${source} has no column that a model can learn`, {
    received: [...excluded].map(([name, reason]) => `"${name}": ${reason}`).join("; "),
    hint: "State the kind of a column to learn it anyway: --column NAME=categorical",
  });
}

/** Notes on the continuous columns. What the notes say about repeated values does not concern them, since atoms have probabilities. */
function notesOf(
  table: readonly TableColumn[],
  columns: readonly RawColumn[],
  rows: Int32Array,
): ColumnNote[] {
  const continuous = table.filter(({ kind }) => kind === "continuous").map(({ name }) => name);
  const numbers = columns
    .filter(({ name }) => continuous.includes(name))
    .map((column) => select(column, rows).values);
  const complete = Int32Array.from(rows, (_, n) => n).filter((n) =>
    numbers.every((values) => !Number.isNaN(values[n]!)),
  );
  if (numbers.length === 0 || complete.length < 2) return [];
  const values = rowMajor(
    numbers.map((column) => Float64Array.from(complete, (n) => column[n]!)),
    complete.length,
  );
  return columnNotes({ columns: continuous, rows: complete.length, values }).filter(
    ({ kind }) => kind !== "fewValues" && kind !== "grid" && kind !== "atoms",
  );
}
