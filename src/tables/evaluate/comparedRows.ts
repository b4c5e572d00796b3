import { anyValue, listedNames, type OptionRules, PushforwardError } from "../../check/index.ts";
import {
  inferRawColumn,
  labelCodes,
  rawColumns,
  type TableColumn,
  type TableInput,
  withBooleanLabels,
} from "../columns/index.ts";

/** Options of the functions that compare tables. */
export interface CompareOptions {
  /** The columns to compare, such as those of a `TableModel`. Default: inferred from the first table, as `fitTable` does. */
  readonly columns?: readonly TableColumn[] | undefined;
}

/** The rules of these options. */
export const compareRules: OptionRules<CompareOptions> = { columns: anyValue };

/** A column of rows to compare. */
export interface ComparedColumn {
  readonly name: string;
  /** The labels of a categorical column; undefined for numbers, dates and times. */
  readonly labels: readonly string[] | undefined;
  /**
   * Numbers as they are, dates and times in milliseconds, and labels as indices of `labels`. A label that the column does not have becomes
   * `labels.length`. NaN is a missing value.
   */
  readonly values: Float64Array;
}

/** The number of rows with each label of a column. */
export function labelCounts({ labels = [], values }: Pick<ComparedColumn, "labels" | "values">): number[] {
  const counts = labels.map(() => 0);
  // A value may be no label: NaN, or `labels.length`.
  for (const value of values) if (value < counts.length) counts[value]++;
  return counts;
}

/** Rows of a table to compare with others, column by column. */
export interface ComparedRows {
  readonly rows: number;
  readonly columns: readonly ComparedColumn[];
}

/**
 * Reads tables to compare, by the names that errors call them: the same columns of each. Constant columns are left out.
 *
 * @throws DATA if a table lacks a column or has no rows, or if no column varies.
 */
export function comparedRows(
  tables: Readonly<Record<string, TableInput>>,
  options: CompareOptions,
): ComparedRows[] {
  const named = Object.entries(tables);
  for (const [name, table] of named) checkHasRows(name, table);
  const columns = options.columns ?? inferredColumns(named[0][1]);
  const varying = columns.filter(({ kind }) => kind !== "constant");
  if (varying.length === 0) throw new PushforwardError("DATA", "the tables have no column that varies");
  const texts = new Set(varying.filter(({ type }) => type === "text").map(({ name }) => name));
  return named.map(([tableName, table]) => {
    const raw = rawColumns(table, texts);
    const compared = varying.map((column) => {
      const source = raw.find(({ name }) => name === column.name);
      if (source) {
        const labels = column.kind === "categorical" ? column.labels : undefined;
        return { name: column.name, labels, values: labelCodes(column, withBooleanLabels(column, source)) };
      }
      throw new PushforwardError("DATA", `the table "${tableName}" has no column "${column.name}"`, {
        expected: listedNames(varying.map(({ name }) => name)),
        received: listedNames(raw.map(({ name }) => name)),
      });
    });
    return { rows: compared[0].values.length, columns: compared };
  });
}

function checkHasRows(name: string, table: TableInput): void {
  const rows = Array.isArray(table) ? table : Object.values(table ?? {})[0];
  if (rows?.length !== 0) return;
  throw new PushforwardError("DATA", `the table "${name}" has no rows`, { expected: "at least 1 row" });
}

/** The columns of a table, with their kinds inferred from the values. Columns that identify rows are left out. */
export function inferredColumns(table: TableInput): TableColumn[] {
  return rawColumns(table).flatMap((raw) => {
    const { inferred } = inferRawColumn(raw);
    return "column" in inferred ? [inferred.column] : [];
  });
}

/** Some of the rows, in the order of their indices. */
export const selectComparedRows = ({ columns }: ComparedRows, indices: ArrayLike<number>): ComparedRows => ({
  rows: indices.length,
  columns: columns.map((column) => ({
    ...column,
    values: Float64Array.from(indices, (row) => column.values[row]),
  })),
});

/** The rows of a table, and then those of another one with the same columns. */
export const joinRows = (first: ComparedRows, second: ComparedRows): ComparedRows => ({
  rows: first.rows + second.rows,
  columns: first.columns.map((column, c) => {
    const values = new Float64Array(first.rows + second.rows);
    values.set(column.values);
    values.set(second.columns[c].values, first.rows);
    return { ...column, values };
  }),
});
