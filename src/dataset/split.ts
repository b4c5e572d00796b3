import { equalRows } from "../columns/equalRows.ts";
import { Random } from "../random/index.ts";
import { counting } from "./counting.ts";
import type { InMemoryDataset } from "./inMemoryDataset.ts";

/** The number of rows that a fraction of them is, with at least one row on each side of the split. */
export const shareOf = (rows: number, fraction: number): number =>
  Math.min(rows - 1, Math.max(1, Math.round(fraction * rows)));

/**
 * Holds out `count` rows at random for validation, or a few less. Equal rows stay on one side: a copy of a training row
 * would tell how well the row is remembered. A row with more copies than are held out cannot, and need not: it is a value
 * that the distribution repeats, as in a table of categories. Its copies are treated like different rows. `copies` tells
 * whether equal rows were kept together.
 */
export function holdOut(
  data: InMemoryDataset,
  count: number,
  seed: number,
): { training: InMemoryDataset; validation: InMemoryDataset; copies: boolean } {
  const order = stratified(new Random(seed).split("validation").permutation(data.rows), data.weights, count);
  const { copies, first, sizes } = equalRows(data);
  /** Of the first row of each group: 1 where it is held out, -1 where it is not. */
  const side = new Int8Array(data.rows);
  const heldOut = new Uint8Array(data.rows);
  let left = count;
  for (const row of order) {
    const [group, size] = sizes[first[row]] > count ? [row, 1] : [first[row], sizes[first[row]]];
    if (side[group] === 0) {
      side[group] = size <= left ? 1 : -1;
      if (side[group] === 1) left -= size;
    }
    heldOut[row] = side[group] === 1 ? 1 : 0;
  }
  const rowsWhere = (value: number) => counting(data.rows).filter((row) => heldOut[row] === value);
  return { training: data.select(rowsWhere(0)), validation: data.select(rowsWhere(1)), copies };
}

/**
 * Rows in a random order whose first `count` have their share of the rows of each weight: one from each of `count` equal runs
 * of the rows by weight. A few rows of large weight would otherwise be on one side by chance.
 */
function stratified(order: Int32Array, weights: Float64Array, count: number): Int32Array {
  if (weights.every((weight) => weight === weights[0])) return order;
  const byWeight = Array.from(order).sort((a, b) => weights[a] - weights[b]);
  const startsRun = (place: number) =>
    place === 0 ||
    Math.floor((place * count) / order.length) > Math.floor(((place - 1) * count) / order.length);
  return Int32Array.from([
    ...byWeight.filter((_, place) => startsRun(place)),
    ...byWeight.filter((_, place) => !startsRun(place)),
  ]);
}
