import { Random } from "../random/index.ts";
import type { BatchOptions } from "./dataset.ts";
import type { InMemoryDataset } from "./inMemoryDataset.ts";

/** Some of `rows`, which stay as they are until the next batch is asked for. */
export interface Batch {
  readonly rows: InMemoryDataset;
  readonly indices: Int32Array;
}

/** The batches of a training. */
export interface Batches {
  /** How many rows an epoch shows: each row once, and rows of large weight several times, see `copiesOf`. */
  readonly rows: number;
  /** Their mean weight. */
  readonly meanWeight: number;
  /** The batches of an epoch, in an order that depends only on the seed and the epoch. */
  epoch(epoch: number): Iterable<Batch> | AsyncIterable<Batch>;
}

/**
 * How often an epoch shows a row, each time with an equal part of its weight, so that no part is much larger than the mean
 * weight. The whole weight at once would be one large gradient among many small ones: clipping shortens it, and Adam divides
 * it by a root of its square, so the row would have too little influence.
 */
export const copiesOf = (weight: number, meanWeight: number): number =>
  Math.max(1, Math.round(weight / meanWeight));

/** Where the order of an epoch comes from. */
export const shuffling = (seed: number, epoch: number) => new Random(seed).split("shuffle").split(epoch);

/** Batches of rows in memory: a permutation of them in each epoch. */
export function batchesInMemory(data: InMemoryDataset, { batchSize, seed, prepare }: BatchOptions): Batches {
  const mean = data.meanWeight;
  const rows = prepare?.(data) ?? data;
  const copies = Int32Array.from(rows.weights, (weight) => copiesOf(weight, mean));
  const shown = new Int32Array(copies.reduce((a, b) => a + b, 0));
  let end = 0;
  for (let row = 0; row < rows.rows; end += copies[row++]!) shown.fill(row, end, end + copies[row]!);
  const parts = rows.with({ weights: rows.weights.map((weight, row) => weight / copies[row]!) });
  return {
    rows: shown.length,
    meanWeight: (mean * rows.rows) / shown.length,
    *epoch(epoch) {
      const order = shuffling(seed, epoch)
        .permutation(shown.length)
        .map((place) => shown[place]!);
      for (let start = 0; start < order.length; start += batchSize)
        yield { rows: parts, indices: order.subarray(start, start + batchSize) };
    },
  };
}
