import { concat, constant, filled, type Tensor } from "../graph/tensor.ts";
import type { Random } from "../random/index.ts";
import { type ColumnHead, isCategorical, isLattice, MISSING } from "./heads/columnHead.ts";
import { unscaledValue } from "./heads/valueScale.ts";

/** Kernels of a lattice of up to this many cells are computed once for each cell instead of once for each center. */
const MAX_CELLS = 64;

/** The code of a center of a categorical column that is not one of its categories. It matches no value. */
const IMPOSSIBLE_CENTER = -3;

/** Centers of kernels. */
export interface Centers {
  readonly count: number;
  /** [count] the values. */
  readonly values: Tensor;
  /** [count] 1 where the value is missing, else 0. */
  readonly missing: Tensor;
}

/** 1 for missing centers, [1, n, 1]. */
export const missingCenters = ({ missing, count }: Centers): Tensor => missing.reshape([1, count, 1]);

/** The number of cells of a lattice that has few cells, and at least twice as many centers. Undefined for other columns. */
export function fewCells(head: ColumnHead, centers: number): number | undefined {
  if (isCategorical(head) || !isLattice(head)) return undefined;
  return head.cells <= Math.min(MAX_CELLS, centers / 2) ? head.cells : undefined;
}

/** One center in each cell, and a missing one if there are gaps. */
export function cellCenters(cells: number, hasGaps: boolean): Centers {
  const count = hasGaps ? cells + 1 : cells;
  const isMissing = Array.from({ length: count }, (_, i) => (i === cells ? 1 : 0));
  const values = isMissing.map((missing, i) => (missing ? 0 : i));
  return { count, values: constant(values, [count]), missing: constant(isMissing, [count]) };
}

/**
 * For n centers and the m centers of `cellCenters`, 1 where both have the same value, else 0: [n, m]. Only a damaged file has centers beside
 * the cells; they count as the nearest cell.
 */
export function memberships({ values, missing, count }: Centers, cells: number, hasGaps: boolean): Tensor {
  const nearest = values.add(0.5).floor();
  const cell = nearest.clip(0, cells - 1).reshape([count, 1]);
  const numbers = Array.from({ length: cells }, (_, i) => i);
  const isMissing = missing.reshape([count, 1]);
  const isEqual = cell.equal(constant(numbers, [1, cells])).toFloat();
  const isInCell = isEqual.mul(isMissing.neg().add(1));
  return hasGaps ? concat([isInCell, isMissing], 1) : isInCell;
}

/**
 * 1 for centers that are possible values, [1, n, 1]. In a numeric column every number is, because its kernel is normalized.
 * Only a damaged or hostile file has other centers; the distribution around them is the marginal distribution.
 */
export function possibleCenters(head: ColumnHead, centers: Centers): Tensor {
  const { values, count } = centers;
  if (!isCategorical(head)) return filled(1, [1, count, 1]);
  const c = values.reshape([1, count, 1]);
  const isCategory = c.equal(c.floor()).and(c.greaterEqual(0)).and(c.less(head.categories));
  return isCategory.toFloat().maximum(missingCenters(centers));
}

/** The categories of the centers of a categorical column, `MISSING` for missing ones: [1, n, 1]. */
export function categoriesOfCenters(head: ColumnHead, centers: Centers): Tensor {
  const values = centers.values.reshape([1, centers.count, 1]);
  const categories = missingCenters(centers).greater(0).where(MISSING, values);
  return possibleCenters(head, centers).greater(0).where(categories, IMPOSSIBLE_CENTER);
}

/** Centers before the fit: random categories or cells, or numbers between the outermost knots. */
export function initialCenters(head: ColumnHead, count: number, random: Random): Float32Array {
  const uniform = random.uniform(new Float32Array(count));
  if (isCategorical(head))
    return uniform.map((u) => Math.min(head.categories - 1, Math.floor(u * head.categories)));
  if (isLattice(head)) return uniform.map((u) => Math.min(head.cells - 1, Math.floor(u * head.cells)));
  const [low, high] = [head.knots.x[0], head.knots.x[head.knots.x.length - 1]];
  return uniform.map((u) => unscaledValue(head.scale, low + u * (high - low)));
}
