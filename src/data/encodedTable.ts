import { type ColumnNote, columnNotes } from "../columns/index.ts";
import { type Dataset, InMemoryDataset, type RowStream, StreamedDataset } from "../dataset/index.ts";
import { PushforwardError } from "../errors.ts";
import { type ColumnKind, type ColumnOptions, checkColumnOptions } from "../tables/columnOptions.ts";
import { encodeColumn, withLabelsOf } from "../tables/encode.ts";
import { inferColumn } from "../tables/inferColumn.ts";
import { featureNames, type RawColumn, type TableColumn } from "../tables/tableColumn.ts";
import { excludeColumns, findColumn } from "./columnSelection.ts";
import { type DescribedColumn, describedColumn, MAX_NUMBERS } from "./describeTable.ts";
import { type Labels, readLabels, withLabels } from "./labels.ts";
import { readColumns } from "./readColumns.ts";
import { scanFeatures } from "./scanFeatures.ts";
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
  const { given = [], seed = 0, maxNumbersInMemory = MAX_NUMBERS } = options;
  const labels = await readLabels(opened, given);
  const withCodes = withLabels(opened, labels);
  const numeric = given.length > 0 ? await withCodes.numericColumns(given, { use: "given" }) : [];
  const context = [...numeric.filter((name) => !labels.has(name)), ...labels.keys()];
  const names = learnedNames(opened, context, options);
  const kinds = checkColumnOptions(
    options.kinds,
    opened.columns.map(({ name }) => name),
  );
  const kept = await rowsWithContext(withCodes, context);
  const missing = opened.rows - kept.length;
  checkMinimumRows({ rows: kept.length, missing }, opened.source);
  const isStreamed = opened.rows * (names.length + context.length) > maxNumbersInMemory;
  const { table, described, features } = await inferAndEncode(opened, names, {
    kinds,
    kept,
    keepFeatures: !isStreamed,
  });
  const columns = table.flatMap(featureNames);
  if (columns.length === 0) throw nothingToLearn(opened, table, described);
  const rows = isStreamed
    ? await StreamedDataset.of(streamFeatures(withCodes, table, context), { seed })
    : await inMemory(withCodes, { columns, features, context, kept });
  checkContext(rows, { context, labels }, opened.source);
  const classes = [...labels.values()].map(({ length }) => length);
  return {
    columns,
    table,
    described,
    given: context,
    labels,
    embedding: context.length > 0 ? { numbers: context.length - classes.length, classes } : undefined,
    rows,
    constants: new Map(),
    missing,
    notes: () => notesOf(table, rows.sample),
    close: async () => opened.close(),
  };
}

/**
 * Infers the kind of each column from all its values, and encodes the values of the rows `kept` as features if they are asked for. A large
 * table is read in groups of columns, so that memory does not grow with it.
 */
async function inferAndEncode(
  opened: Table,
  names: readonly string[],
  {
    kinds,
    kept,
    keepFeatures,
  }: { kinds: ReadonlyMap<string, ColumnOptions>; kept: Int32Array; keepFeatures: boolean },
): Promise<{ table: TableColumn[]; described: DescribedColumn[]; features: Float64Array[] }> {
  const ofKind = (wanted: ColumnKind) => names.filter((name) => kinds.get(name)?.kind === wanted);
  const [categorical, excluded] = [ofKind("categorical"), ofKind("exclude")];
  const group = Math.max(1, Math.floor(MAX_NUMBERS / opened.rows));
  const table: TableColumn[] = [];
  const described: DescribedColumn[] = [];
  const features: Float64Array[] = [];
  for (let start = 0; start < names.length; start += group) {
    const ofGroup = names.slice(start, start + group);
    const read = await readColumns(
      opened,
      ofGroup.filter((name) => !excluded.includes(name)),
      { categorical },
    );
    for (const name of ofGroup) {
      const column = opened.columns.find((each) => each.name === name)!;
      const all = read.columns.find((each) => each.name === name);
      const raw = all && select(all, kept);
      const inferred = raw
        ? inferColumn(raw, kinds.get(name))
        : { excluded: read.excluded.get(name) ?? "as requested" };
      described.push(describedColumn(column, raw, inferred));
      if ("excluded" in inferred) continue;
      table.push(inferred.column);
      if (keepFeatures) features.push(...encodeColumn(inferred.column, withLabelsOf(inferred.column, raw!)));
    }
  }
  return { table, described, features };
}

/** The indices of the rows in which no value of the context is missing. */
async function rowsWithContext(table: Table, context: readonly string[]): Promise<Int32Array> {
  const all = Int32Array.from({ length: table.rows }, (_, row) => row);
  if (context.length === 0) return all;
  const { columns } = await readColumns(table, context);
  return all.filter((row) => columns.every(({ values }) => !Number.isNaN(values[row]!)));
}

async function inMemory(
  table: Table,
  {
    columns,
    features,
    context,
    kept,
  }: {
    columns: readonly string[];
    features: readonly Float64Array[];
    context: readonly string[];
    kept: Int32Array;
  },
): Promise<InMemoryDataset> {
  const ofContext = context.length > 0 ? (await readColumns(table, context)).columns : [];
  return new InMemoryDataset({
    features: columns.length,
    columns,
    contextColumns: context,
    values: rowMajor(features, kept.length),
    ...(context.length > 0 && {
      context: rowMajor(
        ofContext.map((column) => select(column, kept).values),
        kept.length,
      ),
    }),
    rowNumbers: kept.map((row) => row + 1),
  });
}

/** Streams the features of the rows in which no value of the context is missing. */
const streamFeatures = (table: Table, columns: readonly TableColumn[], given: readonly string[]): RowStream =>
  async function* rows() {
    const scan = await scanFeatures(table, columns, { given });
    for await (const { rows } of scan.blocks()) {
      const complete = Int32Array.from({ length: rows.rows }, (_, n) => n).filter((n) =>
        rows.context
          .subarray(n * given.length, (n + 1) * given.length)
          .every((value) => !Number.isNaN(value)),
      );
      yield complete.length === rows.rows ? rows : rows.select(complete);
    }
  };

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

/** Refuses a context that is the same in all rows, on which nothing can depend. */
function checkContext(
  { rows, constants }: Dataset,
  { context, labels }: { context: readonly string[]; labels: Labels },
  source: string,
): void {
  for (const [column, value] of constants.context) {
    const name = context[column]!;
    throw new PushforwardError("DATA", `The column "${name}" of ${source} is constant`, {
      expected: "at least two different values",
      received: `${labels.get(name)?.[value] ?? value} in all ${rows} rows`,
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
  described: readonly DescribedColumn[],
): PushforwardError {
  if (constants.length > 0) {
    const [only] = constants;
    const what =
      constants.length === 1 ? `The column "${only!.name}" of ${source} is` : `All columns of ${source} are`;
    return new PushforwardError("DATA", `${what} constant`, {
      expected: "at least two different values",
      received: constants
        .slice(0, 8)
        .map((column) => (column.kind === "constant" ? (column.value ?? "nothing") : ""))
        .join(", "),
      hint: "Give a column that varies.",
    });
  }
  return new PushforwardError("DATA", `${source} has no column that a model can learn`, {
    received: described
      .slice(0, 8)
      .map(({ name, details }) => `"${name}": ${details}`)
      .join("; "),
    hint: "State the kind of a column to learn it anyway: --column NAME=categorical",
  });
}

/** Notes on the continuous columns. What notes say about repeated values does not concern them, since frequent values have probabilities. */
function notesOf(table: readonly TableColumn[], { rows, features, values }: InMemoryDataset): ColumnNote[] {
  let next = 0;
  const continuous = table.flatMap((column) => {
    const feature = next;
    next += featureNames(column).length;
    return column.kind === "continuous" ? [{ name: column.name, feature, center: column.center }] : [];
  });
  const complete = Int32Array.from({ length: rows }, (_, n) => n).filter((n) =>
    continuous.every(({ feature }) => !Number.isNaN(values[n * features + feature]!)),
  );
  if (continuous.length === 0 || complete.length < 2) return [];
  const numbers = continuous.map(({ feature, center }) =>
    Float64Array.from(complete, (n) => values[n * features + feature]! + center),
  );
  return columnNotes({
    columns: continuous.map(({ name }) => name),
    rows: complete.length,
    values: rowMajor(numbers, complete.length),
  }).filter(({ kind }) => kind !== "fewValues" && kind !== "grid" && kind !== "atoms");
}
