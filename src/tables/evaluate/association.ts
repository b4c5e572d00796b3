import { mean, midranks } from "../../numerics/index.ts";
import type { ComparedColumn } from "./comparedRows.ts";

/** The measure of the dependence of two columns. */
export type Measure = "correlation" | "cramersV" | "correlationRatio";

/** A column whose ranks are computed once for its pairs with all other columns. */
export interface RankedColumn extends ComparedColumn {
  /**
   * The values to associate: ranks of numbers with Spearman's correlation. Undefined if a value is missing, because ranks are those of
   * complete rows.
   */
  readonly ranked: Float64Array | undefined;
}

type Correlation = "spearman" | "pearson";

export const rankColumn = (column: ComparedColumn, correlation: Correlation): RankedColumn => ({
  ...column,
  ranked: column.values.some(Number.isNaN) ? undefined : rankValues(column, column.values, correlation),
});

const rankValues = ({ labels }: ComparedColumn, values: Float64Array, correlation: Correlation) =>
  labels === undefined && correlation === "spearman" ? midranks(values) : values;

/**
 * How strongly two columns depend on each other, in the rows in which neither value is missing:
 *
 * - two columns of numbers: the correlation of their ranks (Spearman) or values (Pearson), from -1 to 1;
 * - two columns of labels: Cramér's V, sqrt(chi^2 / (n min(r - 1, c - 1))), from 0 to 1;
 * - a column of numbers and one of labels: the correlation ratio eta, sqrt(sum_l n_l (m_l - m)^2 / sum_i (y_i - m)^2) with the means m_l of
 *   the labels and the mean m, from 0 to 1, of ranks (Spearman) or values (Pearson).
 *
 * NaN if a column is constant in these rows.
 */
export function association(
  first: RankedColumn,
  second: RankedColumn,
  correlation: Correlation,
): { measure: Measure; value: number } {
  const [a, b] =
    first.ranked && second.ranked
      ? [first.ranked, second.ranked]
      : rankCompleteRows([first, second], correlation);
  if (first.labels && second.labels) return { measure: "cramersV", value: cramersV(a, b) };
  if (first.labels) return { measure: "correlationRatio", value: correlationRatio(b, a) };
  if (second.labels) return { measure: "correlationRatio", value: correlationRatio(a, b) };
  return { measure: "correlation", value: pearson(a, b) };
}

function rankCompleteRows(pair: readonly ComparedColumn[], correlation: Correlation): Float64Array[] {
  const complete = Array.from(pair[0].values.keys()).filter((n) =>
    pair.every(({ values }) => !Number.isNaN(values[n])),
  );
  return pair.map((column) =>
    rankValues(
      column,
      Float64Array.from(complete, (n) => column.values[n]),
      correlation,
    ),
  );
}

/** A variance below this fraction of the squared mean is an effect of rounding: the values are equal. */
const ROUNDING = 1e-24;

/** The deviations from the mean, and the sum of their squares: NaN if all values are equal. */
function deviations(values: Float64Array): { deviations: Float64Array; squares: number } {
  const center = mean(values);
  const deviations = values.map((value) => value - center);
  const squares = deviations.reduce((sum, each) => sum + each * each, 0);
  return { deviations, squares: squares > ROUNDING * center ** 2 * values.length ? squares : Number.NaN };
}

function pearson(a: Float64Array, b: Float64Array): number {
  const [x, y] = [deviations(a), deviations(b)];
  const product = x.deviations.reduce((sum, each, n) => sum + each * y.deviations[n], 0);
  return product / Math.sqrt(x.squares * y.squares);
}

function correlationRatio(numbers: Float64Array, labels: Float64Array): number {
  const { deviations: values, squares } = deviations(numbers);
  const groups = new Map<number, { sum: number; rows: number }>();
  labels.forEach((label, n) => {
    const { sum, rows } = groups.get(label) ?? { sum: 0, rows: 0 };
    groups.set(label, { sum: sum + values[n], rows: rows + 1 });
  });
  if (groups.size < 2) return Number.NaN;
  const between = [...groups.values()].reduce((total, { sum, rows }) => total + sum ** 2 / rows, 0);
  return Math.sqrt(between / squares);
}

function cramersV(a: Float64Array, b: Float64Array): number {
  const counts = [new Map<number, number>(), new Map<number, number>()];
  const cells = new Map<string, number>();
  const add = <K>(map: Map<K, number>, key: K) => map.set(key, (map.get(key) ?? 0) + 1);
  a.forEach((label, n) => {
    add(counts[0], label);
    add(counts[1], b[n]);
    add(cells, `${label} ${b[n]}`);
  });
  const rank = Math.min(counts[0].size, counts[1].size) - 1;
  if (rank < 1) return Number.NaN;
  // chi^2 / n = sum over cells of count^2 / (row count * column count), minus 1.
  let sum = 0;
  for (const [key, count] of cells) {
    const [i, j] = key.split(" ").map(Number);
    sum += count ** 2 / (counts[0].get(i)! * counts[1].get(j)!);
  }
  return Math.sqrt(Math.max(0, sum - 1) / rank);
}
