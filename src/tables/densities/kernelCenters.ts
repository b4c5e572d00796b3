import { unscaledValue } from "../../bijections/index.ts";
import { constant, filled, type Parameter, type Tensor } from "../../graph/index.ts";
import type { Random } from "../../random/index.ts";
import { type ColumnHead, isCategorical, isLattice, MISSING } from "./heads/columnHead.ts";

/** If a larger share of the centers is distinct, the kernels of all centers are computed, because then none has to be copied. */
const MAX_DISTINCT_SHARE = 0.75;

/** The code of a center of a categorical column that is not one of its categories. It matches no value. */
const IMPOSSIBLE_CENTER = -3;

/** Centers are values of the column, which have the bounds of the knots of its head. */
export const CENTER_DOMAIN = { min: -1e30, max: 1e30 };

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

/** Centers with different values, and for each of all n centers the index of the one with its value. */
export interface DistinctCenters extends Centers {
  /** [n]. Undefined if these are all centers, in their order. */
  readonly indices: readonly number[] | undefined;
}

/**
 * The distinct centers, whose numbers become constants of the graph, or all centers if few of them are equal. Kernels around equal centers
 * are equal, so they need to be computed only once.
 */
export function distinctCenters(values: Parameter, missing: Parameter | undefined): DistinctCenters {
  const [count] = values.sizes;
  const indexOf = new Map<string, number>();
  const firsts: number[] = [];
  const indices = Array.from(values.numbers, (value, i) => {
    const key = `${value} ${missing?.numbers[i] ?? 0}`;
    if (!indexOf.has(key)) {
      indexOf.set(key, firsts.length);
      firsts.push(i);
    }
    return indexOf.get(key)!;
  });
  const m = firsts.length;
  if (m > MAX_DISTINCT_SHARE * count)
    return { count, values, missing: missing ?? filled(0, [count]), indices: undefined };
  const ofFirsts = ({ numbers }: Parameter) =>
    constant(
      firsts.map((i) => numbers[i]!),
      [m],
    );
  return {
    count: m,
    values: ofFirsts(values),
    missing: missing ? ofFirsts(missing) : filled(0, [m]),
    indices,
  };
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
