import { PushforwardError } from "../../check/index.ts";
import { InMemoryDataset, type RowStream, range, rowMajor, StreamedDataset } from "../../dataset/index.ts";
import {
  type ColumnOptions,
  checkColumnOptions,
  decodeRows,
  distinctFeatureNames,
  encodeColumn,
  labelCodes,
  type TableColumn,
} from "../columns/index.ts";
import { type ColumnNote, notesOn } from "../notes/index.ts";
import type { ColumnKind } from "../options/index.ts";
import { columnHint, dateCodesNote, type HintSource } from "./columnHints.ts";
import { checkContext, constantError } from "./constantError.ts";
import { type DescribedColumn, describedColumn } from "./describeTable.ts";
import { inferColumns, valuesOfRows } from "./inferColumns.ts";
import { numbersOfContext } from "./labels.ts";
import { checkFewWords } from "./nonNumericColumns.ts";
import { readColumns } from "./readColumns.ts";
import { type FeatureScan, scanFeatures } from "./scanFeatures.ts";
import type { Table } from "./table.ts";
import { checkMinimumRows } from "./tableRows.ts";
import type { ChosenColumns, ReadRows } from "./trainingTable.ts";

/** Options of `readEncodedTable`. */
interface EncodedTableOptions {
  /** Kinds or options of columns, by their names; they replace the inferred ones. */
  readonly kinds: Readonly<Record<string, ColumnOptions | ColumnKind>>;
  /** See `TrainingTableOptions`. */
  readonly seed: number;
  readonly maxNumbersInMemory: number;
  readonly hasAtoms: boolean;
  readonly hintSource: HintSource;
}

/**
 * Reads columns of any kind for training: infers the kind of each column, and encodes its values as features. A row with missing values is
 * left out only if a value of its context is missing.
 */
export async function readEncodedTable(
  opened: Table,
  chosen: ChosenColumns,
  { kinds, seed, maxNumbersInMemory, hasAtoms, hintSource }: EncodedTableOptions,
): Promise<ReadRows> {
  const { columns: names, given, labels } = chosen;
  const stated = checkColumnOptions(
    kinds,
    opened.columns.map(({ name }) => name),
  );
  const isStreamed = opened.rows * (names.length + given.length) > maxNumbersInMemory;
  const { kept, context } = await readContext(opened, given, { keepValues: !isStreamed });
  const missing = opened.rows - kept.length;
  checkMinimumRows({ rows: kept.length, missing }, opened.source, "--given");
  const table: TableColumn[] = [];
  const described: DescribedColumn[] = [];
  const features: Float64Array[] = [];
  const inferences = inferColumns(opened, names, { kinds: stated, skipExcluded: true, rows: kept });
  for await (const inference of inferences) {
    described.push(describedColumn(inference));
    const { column, raw, inferred } = inference;
    // A column of text with a few words among numbers or dates has a remark. Most columns have none, and are not read again.
    if (column.type === "VARCHAR" && !stated.has(column.name) && described.at(-1)!.remarks.length > 0)
      await checkFewWords(opened, column.name, "excluded" in inferred);
    if (raw === undefined || "excluded" in inferred) continue;
    table.push(inferred.column);
    if (!isStreamed) features.push(...encodeColumn(inferred.column, labelCodes(inferred.column, raw)));
  }
  const columns = distinctFeatureNames(table);
  if (columns.length === 0) throw nothingToLearn(opened, table, described);
  const rows = isStreamed
    ? await StreamedDataset.of(rowsWithContext(await scanFeatures(opened, table, { given })), { seed })
    : new InMemoryDataset({
        features: columns.length,
        columns,
        contextColumns: given,
        values: rowMajor(features, kept.length),
        context: rowMajor(context, kept.length),
        rowNumbers: kept.map((row) => row + 1),
      });
  checkContext(rows, { given, labels }, opened.source);
  const classes = [...labels.values()].map(({ length }) => length);
  return {
    columns,
    table,
    described,
    given,
    labels,
    embedding: given.length > 0 ? { numbers: given.length - classes.length, classes } : undefined,
    rows,
    constants: new Map(),
    missing,
    notes: () =>
      notesOf(table, rows.sample, { given, labels, hintSource }).filter(
        ({ kind }) => !hasAtoms || !REPETITION.includes(kind),
      ),
  };
}

/** The indices of the rows in which no value of the context is missing and, if `keepValues`, their contexts, an array for each column. */
async function readContext(
  table: Table,
  names: readonly string[],
  { keepValues }: { readonly keepValues: boolean },
): Promise<{ kept: Int32Array; context: Float64Array[] }> {
  if (names.length === 0) return { kept: range(table.rows), context: [] };
  const { columns } = await readColumns(table, names);
  const kept = range(table.rows).filter((row) => columns.every(({ values }) => !Number.isNaN(values[row]!)));
  return { kept, context: keepValues ? columns.map(({ values }) => valuesOfRows(values, kept)) : [] };
}

/** Streams the rows in which no value of the context is missing. */
const rowsWithContext = (scan: FeatureScan): RowStream =>
  async function* rows() {
    for await (const { rows } of scan.blocks()) {
      const { context, contextFeatures: C } = rows;
      const complete = range(rows.rows).filter((n) =>
        context.subarray(n * C, (n + 1) * C).every((value) => !Number.isNaN(value)),
      );
      yield complete.length === rows.rows ? rows : rows.select(complete);
    }
  };

function nothingToLearn(
  { source }: Table,
  constants: readonly TableColumn[],
  described: readonly DescribedColumn[],
): PushforwardError {
  if (constants.length > 0) {
    const values = constants.map((column) =>
      column.kind === "constant" ? (column.value ?? "no value") : "",
    );
    const names = constants.map(({ name }) => name);
    return constantError(names, source, [...new Set(values)].slice(0, 8).join(", "));
  }
  const remarked = described.find(({ remarks }) => remarks.length > 0);
  return new PushforwardError("DATA", `${source} has no column that a model can learn`, {
    received: described
      .slice(0, 8)
      .map(({ name, details }) => `"${name}": ${details}`)
      .join("; "),
    hint: remarked
      ? `The column "${remarked.name}": ${remarked.remarks.join("; ")}.`
      : "State the kind of a column to learn it anyway: --column NAME=categorical",
  });
}

/** Notes about repeated values, at which a density has no bound. They do not apply to a model in which these values have probabilities. */
const REPETITION: readonly ColumnNote["kind"][] = ["fewValues", "grid", "atoms"];

/**
 * Notes on the continuous columns and on the numbers of the context, with hints that contain queries of the table. Values of other columns
 * have probabilities, which no note is about.
 */
function notesOf(
  table: readonly TableColumn[],
  sample: InMemoryDataset,
  {
    given,
    labels,
    hintSource,
  }: Pick<ChosenColumns, "given" | "labels"> & { readonly hintSource: HintSource },
): ColumnNote[] {
  const decoded = decodeRows(table, sample.values);
  const columns = table.map((column, c) => ({ column, values: asNumbers(column, decoded[c]!) }));
  const dateCodes = dateCodesNote(
    table.flatMap((column, c) => (column.kind === "time" ? [{ column, values: decoded[c]! }] : [])),
    hintSource,
  );
  const tableOf = (some: typeof columns) => ({
    columns: some.map(({ column }) => column.name),
    rows: sample.rows,
    values: rowMajor(
      some.map(({ values }) => values),
      sample.rows,
    ),
  });
  const context = numbersOfContext(sample, { given, labels });
  const inCells = columns.filter(({ column }) => column.kind === "lattice");
  const continuous = columns.filter(({ column }) => column.kind === "continuous");
  const numeric = columns.filter((each) => continuous.includes(each) || inCells.includes(each));
  if (numeric.length === 0 || sample.rows < 2) return dateCodes;
  const notes = notesOn(tableOf(continuous), {
    given: context,
    wholeRows: sample,
    ...(inCells.length > 0 && {
      numeric: {
        numbers: tableOf(numeric),
        given: context,
        inCells: new Set(inCells.map(({ column }) => column.name)),
      },
    }),
  });
  const learned = tableOf(columns.filter(({ column }) => column.kind !== "constant"));
  const noted = { ...hintSource, learned, given: context, givenNames: given };
  return [...dateCodes, ...notes.map((note) => ({ ...note, hint: columnHint(note, noted) }))];
}

/** The values of a column as numbers, labels that are numbers included; NaN for all other values. */
function asNumbers(column: TableColumn, values: Float64Array): Float64Array {
  if (column.kind === "categorical") return values.map((label) => Number(column.labels[label]));
  return column.kind === "time" ? values.map(() => Number.NaN) : values;
}
