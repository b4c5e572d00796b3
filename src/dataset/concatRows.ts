/** The numbers of all blocks, one block after the other: [N_1, D], [N_2, D], ... -> [N_1 + N_2 + ..., D]. */
export function concatRows(blocks: readonly Float64Array[]): Float64Array {
  const rows = new Float64Array(blocks.reduce((sum, { length }) => sum + length, 0));
  let start = 0;
  for (const block of blocks) {
    rows.set(block, start);
    start += block.length;
  }
  return rows;
}
