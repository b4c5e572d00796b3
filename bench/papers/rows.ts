import { Random } from "../../src/random/index.ts";

/** Rows of numbers: `values` is [N, features]. */
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

/** Columns `from` to `to - 1`. */
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

/** Mean and deviation (over N) of each column; the deviation of a constant column is 1. */
export function moments({ features, values }: Rows): { mean: Float64Array; deviation: Float64Array } {
  const [mean, square] = [new Float64Array(features), new Float64Array(features)];
  const rows = values.length / features;
  for (let i = 0; i < values.length; i++) mean[i % features] += values[i] / rows;
  for (let i = 0; i < values.length; i++)
    square[i % features] += (values[i] - mean[i % features]) ** 2 / rows;
  return { mean, deviation: square.map((value) => Math.sqrt(value) || 1) };
}

/** Each part in units of the first part's deviations from its means. */
export function zScored(training: Rows, ...others: Rows[]): Rows[] {
  const { mean, deviation } = moments(training);
  return [training, ...others].map(({ features, values }) => ({
    features,
    values: values.map((x, i) => (x - mean[i % features]) / deviation[i % features]),
  }));
}

export interface Split {
  readonly train: Int32Array;
  readonly test: Int32Array;
}

/** Cross-validation: the rows in random order, the k-th fold being every k-th of them. */
export function folds(rows: number, count: number, seed: number): Split[] {
  const order = new Random(seed).split("folds").permutation(rows);
  return Array.from({ length: count }, (_, fold) => ({
    train: order.filter((_, i) => i % count !== fold),
    test: order.filter((_, i) => i % count === fold),
  }));
}

/** The rows in random order, cut at the shares given: 0.8, 0.1 leaves a last part of a tenth. */
export function shares(rows: number, parts: readonly number[], seed: number): Int32Array[] {
  const order = new Random(seed).split("shares").permutation(rows);
  const cuts = [0, ...parts.map((_, i) => parts.slice(0, i + 1).reduce((a, b) => a + b, 0)), 1];
  return cuts.slice(1).map((end, i) => order.slice(Math.round(cuts[i] * rows), Math.round(end * rows)));
}

/**
 * ADBench's semi-supervised split as the DTE paper has it: the first half of the normal rows (label 0) in the order of the
 * file trains, the others and all anomalies test. Halves round to even, as NumPy's.
 */
export function firstHalfOfNormals(labels: ArrayLike<number>): Split {
  const indices = Int32Array.from({ length: labels.length }, (_, i) => i);
  const normals = indices.filter((i) => labels[i] === 0);
  const half = normals.length % 4 === 1 ? (normals.length - 1) / 2 : Math.round(normals.length / 2);
  const train = normals.slice(0, half);
  const taken = new Set(train);
  return { train, test: indices.filter((i) => !taken.has(i)) };
}
