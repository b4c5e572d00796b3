/** The number of cells on a side of the grid, and half of its width. */
const CELLS = 30;
const RADIUS = 3;

const side = CELLS + 1;
const at = (k: number) => -RADIUS + (2 * RADIUS * k) / CELLS;

/** A square grid in latent space: the corners of its cells, and for each cell the indices of its four corners, in order around it. */
export const latentGrid = {
  points: Float64Array.from({ length: 2 * side * side }, (_, i) => {
    const corner = i >> 1;
    return i % 2 === 0 ? at(corner % side) : at(Math.floor(corner / side));
  }),
  corners: Array.from({ length: CELLS * CELLS }, (_, cell) => {
    const corner = Math.floor(cell / CELLS) * side + (cell % CELLS);
    return [corner, corner + 1, corner + side + 1, corner + side] as const;
  }),
};
