/** The largest number of cells of a lattice. With this many, float32 represents the edges of cells, which are half integers, to 1/128. */
export const MAX_CELLS = 2 ** 17;
