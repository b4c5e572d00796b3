import { Random } from "../random/index.ts";
import type { BatchOptions } from "./dataset.ts";
import type { InMemoryDataset } from "./inMemoryDataset.ts";

/** A batch: the rows of `rows` at `indices`. Both arrays may be overwritten when the next batch is requested. */
export interface Batch {
  readonly rows: InMemoryDataset;
  readonly indices: Int32Array;
}

/** A source of the batches of each epoch. */
export interface Batches {
  /** The number of rows in an epoch: rows of large weight count several times, see `copiesOf`. */
  readonly rows: number;
  /** The mean weight of the rows in an epoch. */
  readonly meanWeight: number;
  /** The batches of an epoch, in an order that depends only on the seed and the epoch. */
  epoch(epoch: number): Iterable<Batch> | AsyncIterable<Batch>;
}

/**
 * The number of copies of a row in an epoch. Each copy has an equal part of the row's weight, not much more than the mean weight. A
 * single copy with the whole weight would have one large gradient, which gradient clipping and the normalization of Adam scale
 * down, so the row would have too little influence.
 */
export const copiesOf = (weight: number, meanWeight: number): number =>
  Math.max(1, Math.round(weight / meanWeight));

/** The random generator that determines the order of the rows in an epoch. */
export const epochRandom = (seed: number, epoch: number) => new Random(seed).split("shuffle").split(epoch);

/** Batches of rows in memory, in a random permutation for each epoch. */
export function batchesInMemory(data: InMemoryDataset, { batchSize, seed, prepare }: BatchOptions): Batches {
  const mean = data.meanWeight;
  const rows = prepare?.(data) ?? data;
  const copies = Int32Array.from(rows.weights, (weight) => copiesOf(weight, mean));
  const rowCopies = new Int32Array(copies.reduce((a, b) => a + b, 0));
  let end = 0;
  for (let row = 0; row < rows.rows; end += copies[row++]!) rowCopies.fill(row, end, end + copies[row]!);
  const weightedRows = rows.with({ weights: rows.weights.map((weight, row) => weight / copies[row]!) });
  return {
    rows: rowCopies.length,
    meanWeight: (mean * rows.rows) / rowCopies.length,
    *epoch(epoch) {
      const order = epochRandom(seed, epoch)
        .permutation(rowCopies.length)
        .map((position) => rowCopies[position]!);
      for (let start = 0; start < order.length; start += batchSize)
        yield { rows: weightedRows, indices: order.subarray(start, start + batchSize) };
    },
  };
}
