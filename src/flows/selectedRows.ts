import type { Noise } from "../distributions/distribution.ts";
import type { SubsetDistribution } from "../distributions/subsetDistribution.ts";
import type { Floats } from "../graph/operation.ts";
import type { Random } from "../random/index.ts";
import type { RowInput } from "./batchRunner.ts";

/** An input whose row i is written by `write(target, rows[i])`. */
const rowsInput = (
  rows: ArrayLike<number>,
  size: number,
  write: (target: Floats, row: number) => void,
): RowInput => ({
  size,
  write(target, start) {
    for (let i = 0; i < target.length / size; i++)
      write(target.subarray(i * size, (i + 1) * size), rows[start + i]);
  },
});

/** Rows [N, D] of an array as an input. */
export const rowsOf = (values: Float64Array | Uint8Array, rows: ArrayLike<number>, D: number): RowInput =>
  rowsInput(rows, D, (target, row) => target.set(values.subarray(row * D, (row + 1) * D)));

/** The random numbers of rows: those of row n are row `start` + n of the streams of `random`. */
export interface RowStreams {
  readonly random: Random;
  readonly start: number;
}

/** Noise of the given kinds and sizes: that of row i depends only on `random` and on `start` + rows[i]. */
export const noiseInputs = (
  noise: readonly Noise[],
  rows: ArrayLike<number>,
  { random, start }: RowStreams,
): RowInput[] =>
  noise.map(({ kind, size }, i) => {
    const stream = random.split(i);
    return rowsInput(rows, size, (target, row) => stream[kind](target, { offset: (start + row) * size }));
  });

/** The noise [N, 1] for draws of a feature of rows. */
export const noiseOfFeature = (
  { noise }: SubsetDistribution,
  feature: number,
  rows: ArrayLike<number>,
  { random, start }: RowStreams,
): RowInput[] =>
  noiseInputs(
    noise.map(({ kind }) => ({ kind, size: 1 })),
    rows,
    { random: random.split(feature), start },
  );

/** Rows with the same known features. */
export interface Pattern {
  readonly rows: ArrayLike<number>;
  /** The indices of the known features, in the order of their factorization. */
  readonly features: readonly number[];
}

/** The rows of each set of known features. */
export function patterns(known: Uint8Array, rows: readonly number[], features: number) {
  const flagsOf = (row: number) => known.subarray(row * features, (row + 1) * features);
  return groupBy(rows, (row) => flagsOf(row).join("")).map((group) => ({
    rows: group,
    features: Array.from(flagsOf(group[0])).flatMap((flag, d) => (flag === 1 ? [d] : [])),
  }));
}

/** Lists of the items with equal keys. */
export function groupBy<T>(items: readonly T[], key: (item: T) => string): T[][] {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const keyOfItem = key(item);
    const group = groups.get(keyOfItem) ?? [];
    group.push(item);
    groups.set(keyOfItem, group);
  }
  return [...groups.values()];
}
