import type { Noise, SubsetDistribution } from "../../distributions/index.ts";
import type { RowInput } from "../../flows/index.ts";
import type { Floats } from "../../graph/index.ts";
import type { Random } from "../../random/index.ts";

/** Rows [N, D] in row-major order, and which of their features are known: [N, D], 1 or 0. */
export interface PartialRows {
  readonly values: Float64Array;
  readonly known: Uint8Array;
}

/** Rows [N, D] in which all values but NaN are known. */
export const notMissing = (values: Float64Array): PartialRows => ({
  values,
  known: Uint8Array.from(values, (value) => (Number.isNaN(value) ? 0 : 1)),
});

/** An input whose row i is written by `write(target, rows[i])`. */
export const rowsInput = (
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

/** Which features of a row are known, and the order in which the others are drawn. Rows with the same known features share an object. */
export interface Pattern {
  /** The number of known features. */
  readonly known: number;
  /** The position of each feature, [D]: the known features come first, and both these and the others have the order of their indices. */
  readonly order: Float64Array;
}

/** The pattern of each row, from flags [N, D] that are 1 for known features. */
export function patternsOf(flags: Uint8Array, D: number): Pattern[] {
  const patterns = new Map<string, Pattern>();
  return Array.from({ length: flags.length / D }, (_, row) => {
    const ofRow = flags.subarray(row * D, (row + 1) * D);
    const key = ofRow.join("");
    const pattern = patterns.get(key) ?? patternOf(ofRow);
    patterns.set(key, pattern);
    return pattern;
  });
}

function patternOf(flags: Uint8Array): Pattern {
  const known = flags.reduce((sum, flag) => sum + flag, 0);
  let [ofKnown, ofUnknown] = [0, known];
  return { known, order: Float64Array.from(flags, (flag) => (flag === 1 ? ofKnown++ : ofUnknown++)) };
}

/** Lists of the items with equal keys. */
export function groupBy<T>(items: readonly T[], key: (item: T) => unknown): T[][] {
  const groups = new Map<unknown, T[]>();
  for (const item of items) {
    const keyOfItem = key(item);
    const group = groups.get(keyOfItem) ?? [];
    group.push(item);
    groups.set(keyOfItem, group);
  }
  return [...groups.values()];
}
