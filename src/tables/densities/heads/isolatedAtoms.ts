import { scaledValue } from "../../../bijections/index.ts";
import { atomsOf, type ColumnHead } from "./columnHead.ts";
import { linearKnots } from "./quantileMap.ts";

/** Linear scores (`HeadGroup.linearScores`) are clamped to +-15, so that an outlier does not determine the predictions of other columns. */
export const LINEAR_SCORE_BOUND = 15;

/**
 * The atoms of a column that are not part of a smooth distribution. These are all categories, and all atoms of a continuous column, where
 * the components have no mass. In a lattice, whose components give an atom a probability too, they are the atoms so far from the quartiles
 * that their linear score is at its bound, such as the code 999 for an unknown age.
 */
export function isolatedAtoms(head: ColumnHead): readonly number[] {
  const atoms = atomsOf(head);
  if (head.type !== "lattice") return atoms;
  const { x, z, slope } = linearKnots(head.knots);
  const scoreOf = (atom: number) => z[0] + slope[0] * (scaledValue(head.scale, atom) - x[0]);
  return atoms.filter((atom) => Math.abs(scoreOf(atom)) >= LINEAR_SCORE_BOUND);
}
