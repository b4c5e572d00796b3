import type { StoredValues } from "./selectRows.ts";

/** The numbers of all blocks, one block after the other: [N_1, D], [N_2, D], ... -> [N_1 + N_2 + ..., D]. */
export function concatRows(blocks: readonly Float64Array[]): Float64Array;
export function concatRows(blocks: readonly StoredValues[]): StoredValues;
export function concatRows(blocks: readonly StoredValues[]): StoredValues {
  const length = blocks.reduce((sum, { length }) => sum + length, 0);
  const rows =
    blocks.length > 0 && blocks.every((block) => block instanceof Uint8Array)
      ? new Uint8Array(length)
      : new Float64Array(length);
  let start = 0;
  for (const block of blocks) {
    rows.set(block, start);
    start += block.length;
  }
  return rows;
}
