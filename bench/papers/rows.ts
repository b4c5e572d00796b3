import { Random } from "../../src/random/index.ts";

/** A table of numbers: `values` is [N, features] in row-major order. */
export interface Rows {
  readonly features: number;
  readonly values: Float64Array;
}

export const countRows = ({ features, values }: Rows): number => values.length / features;

export function selectRows({ features, values }: Rows, indices: ArrayLike<number>): Rows {
  const selected = new Float64Array(indices.length * features);
  for (let i = 0; i < indices.length; i++) {
    selected.set(values.subarray(indices[i] * features, (indices[i] + 1) * features), i * features);
  }
  return { features, values: selected };
}

/** The columns from `from` up to, but not including, `to`. */
export function selectColumns(rows: Rows, from: number, to: number): Rows {
  const values = new Float64Array(countRows(rows) * (to - from));
  return {
    features: to - from,
    values: values.map((_, i) => {
      const [row, column] = [Math.floor(i / (to - from)), i % (to - from)];
      return rows.values[row * rows.features + from + column];
    }),
  };
}

/** Mean and standard deviation (division by N) of each column; the deviation of a constant column is set to 1. */
export function columnMoments({ features, values }: Rows): { mean: Float64Array; deviation: Float64Array } {
  const [mean, square] = [new Float64Array(features), new Float64Array(features)];
  const rows = values.length / features;
  for (let i = 0; i < values.length; i++) mean[i % features] += values[i] / rows;
  for (let i = 0; i < values.length; i++)
    square[i % features] += (values[i] - mean[i % features]) ** 2 / rows;
  return { mean, deviation: square.map((value) => Math.sqrt(value) || 1) };
}

/** Z-scores all parts with the means and deviations of `training`; returns the training part first. */
export function zScored(training: Rows, ...others: Rows[]): Rows[] {
  const { mean, deviation } = columnMoments(training);
  return [training, ...others].map(({ features, values }) => ({
    features,
    values: values.map((x, i) => (x - mean[i % features]) / deviation[i % features]),
  }));
}

/** Row indices of the two parts of a split. */
export interface Split {
  readonly train: Int32Array;
  readonly test: Int32Array;
}

/** Folds of cross-validation: fold k tests the rows k, k + count, k + 2 count, ... of a random order. */
export function crossValidationFolds(rows: number, count: number, seed: number): Split[] {
  const order = new Random(seed).split("folds").permutation(rows);
  return Array.from({ length: count }, (_, fold) => ({
    train: order.filter((_, i) => i % count !== fold),
    test: order.filter((_, i) => i % count === fold),
  }));
}

/** Splits rows at random into parts of the given shares, and a last part with the rest: [0.8, 0.1] leaves a tenth. */
export function randomSplit(rows: number, parts: readonly number[], seed: number): Int32Array[] {
  const order = new Random(seed).split("shares").permutation(rows);
  const cuts = [0, ...parts.map((_, i) => parts.slice(0, i + 1).reduce((a, b) => a + b, 0)), 1];
  return cuts.slice(1).map((end, i) => order.slice(Math.round(cuts[i] * rows), Math.round(end * rows)));
}

/**
 * ADBench's semi-supervised split, as in the DTE paper: the training rows are the first half of the normal rows (label 0) in
 * the order of the file, and the test rows are all other rows. Half of an odd number is rounded to even, as in NumPy.
 */
export function semiSupervisedSplit(labels: ArrayLike<number>): Split {
  const indices = Int32Array.from({ length: labels.length }, (_, i) => i);
  const normals = indices.filter((i) => labels[i] === 0);
  const half = normals.length % 4 === 1 ? (normals.length - 1) / 2 : Math.round(normals.length / 2);
  const train = normals.slice(0, half);
  const trainingRows = new Set(train);
  return { train, test: indices.filter((i) => !trainingRows.has(i)) };
}
