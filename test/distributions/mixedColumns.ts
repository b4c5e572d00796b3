import { trainableParameters } from "../../src/nn/module.ts";
import { Random } from "../../src/random/index.ts";
import type { ColumnHeadOptions } from "../../src/tables/densities/heads/columnHead.ts";

type Head<Type> = Extract<ColumnHeadOptions, { type: Type }>;

const normalKnots = {
  x: [-2, -0.5, 0.25, 3],
  z: [-1.8, -0.4, 0.3, 2.2],
  slope: [0.9, 1.1, 0.8, 0.5],
};
const latticeKnots = { x: [-0.5, 1, 2, 4.5], z: [-2, -0.5, 0.4, 2], slope: [1, 0.9, 0.8, 0.7] };
export const categorical: Head<"categorical"> = { type: "categorical", categories: 3 };
export const withGaps: Head<"categorical"> = { type: "categorical", categories: 2, gaps: true };
export const lattice: Head<"lattice"> = {
  type: "lattice",
  cells: 5,
  unseen: 0.1,
  knots: latticeKnots,
  components: 2,
  atoms: [0, 3],
};
export const continuous: Head<"continuous"> = { type: "continuous", knots: normalKnots, components: 3 };
export const atoms: Head<"continuous"> = {
  type: "continuous",
  knots: normalKnots,
  components: 2,
  atoms: [0.5],
  gaps: true,
};

/** Replaces the trainable parameters by normal numbers, since the columns of a new model can be independent. */
export function randomize(module: object, { scale = 0.6, seed = 7 } = {}): void {
  const random = new Random(seed);
  [...trainableParameters(module).values()].forEach((parameter, i) => {
    parameter.value = Float64Array.from(
      random.split(i).normal(new Float64Array(parameter.numbers.length)),
      (z) => z * scale,
    );
  });
}

export const sumOfProbabilities = (logProbs: ArrayLike<number>): number =>
  Array.from(logProbs).reduce((sum, value) => sum + Math.exp(value), 0);

/** All rows with a value of the first list in column 0, a value of the second list in column 1, and so on. */
export const combinations = (lists: readonly (readonly number[])[]): number[][] =>
  lists.reduce<number[][]>((rows, list) => rows.flatMap((row) => list.map((value) => [...row, value])), [[]]);

/** Columns without a density, and the values of each. */
export const discrete = [categorical, withGaps, lattice];
export const discreteValues = [
  [0, 1, 2],
  [0, 1, Number.NaN],
  [0, 1, 2, 3, 4],
];

/** A date whose two parts are missing together, between other columns. */
export const partsOfDate: ColumnHeadOptions[] = [
  categorical,
  { ...lattice, gaps: true },
  { ...lattice, atoms: [1], sharesGap: true },
  withGaps,
];
export const valuesOfDate = [
  [0, 1, 2],
  [0, 1, 2, 3, 4, Number.NaN],
  [0, 1, 2, 3, 4, Number.NaN],
  [0, 1, Number.NaN],
];

/** Rows of the columns `continuous`, `atoms` and `lattice`: with and without an atom, with a missing value, and in the tails. */
export const mixedRows = combinations([
  [-0.7, 200],
  [0.5, 0.8, Number.NaN],
  [0, 2, 4],
]);
