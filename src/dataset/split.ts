import { brief, PushforwardError } from "../check/index.ts";
import { Random } from "../random/index.ts";
import { equalRows } from "./equalRows.ts";
import { type InMemoryDataset, storedRows } from "./inMemoryDataset.ts";
import { range } from "./range.ts";

/**
 * The number of rows to hold out for a fraction, so that each side of the split has at least one row if there are two or more. Throws
 * `ARGUMENT` for a fraction that is not between 0 and 1.
 */
export function heldOutCount(rows: number, fraction: number): number {
  if (fraction > 0 && fraction < 1) return Math.min(rows - 1, Math.max(1, Math.round(fraction * rows)));
  throw new PushforwardError("ARGUMENT", "the fraction of split is not valid", {
    expected: "a number above 0 and below 1",
    received: brief(fraction),
  });
}

/**
 * Holds out `count` rows at random for validation, or slightly fewer. Equal rows stay on the same side, unless they are equal by chance
 * (`equalRows`): a validation row that is a copy of a training row would reward memorization. Rows with more than `count` copies are treated
 * like different rows, because they cannot be held out together. `mayHaveCopies` is false if equal rows cannot be copies, because no column is
 * distinctive (`equalRows`).
 */
export function holdOut(
  data: InMemoryDataset,
  count: number,
  seed: number,
): { training: InMemoryDataset; validation: InMemoryDataset; mayHaveCopies: boolean } {
  const order = stratified(new Random(seed).split("validation").permutation(data.rows), data.weights, count);
  const { areCopies, firstRows, groupSizes } = equalRows(storedRows(data));
  /**
   * The row whose draw decides on which side a row is: the first row of its group of equal rows, or the row itself if the group is too large
   * to be held out.
   */
  const representative = (row: number) => (groupSizes[firstRows[row]] > count ? row : firstRows[row]);
  const isHeldOut = new Uint8Array(data.rows);
  let remaining = count;
  for (const row of order) {
    // Only the draw of one row decides for its group. If every row could, large groups would be held out more often than small groups, and the
    // two sides would have different distributions.
    if (representative(row) !== row) continue;
    const size = groupSizes[firstRows[row]] > count ? 1 : groupSizes[row];
    if (size > remaining) continue;
    isHeldOut[row] = 1;
    remaining -= size;
  }
  const heldOut = Uint8Array.from(isHeldOut, (_, row) => isHeldOut[representative(row)]);
  const rowsWhere = (value: number) => range(data.rows).filter((row) => heldOut[row] === value);
  return {
    training: data.select(rowsWhere(0)),
    validation: data.select(rowsWhere(1)),
    mayHaveCopies: areCopies,
  };
}

/**
 * Reorders a random permutation of rows so that its first `count` rows are stratified by weight: one from each of `count` strata
 * of equal size. Without this, a few rows of large weight could all be on the same side by chance.
 */
function stratified(order: Int32Array, weights: Float64Array, count: number): Int32Array {
  if (weights.every((weight) => weight === weights[0])) return order;
  const byWeight = Array.from(order).sort((a, b) => weights[a] - weights[b]);
  const startsStratum = (index: number) =>
    index === 0 ||
    Math.floor((index * count) / order.length) > Math.floor(((index - 1) * count) / order.length);
  return Int32Array.from([
    ...byWeight.filter((_, index) => startsStratum(index)),
    ...byWeight.filter((_, index) => !startsStratum(index)),
  ]);
}
