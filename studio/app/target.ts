import { evenlySpaced } from "./evenlySpaced.ts";

/** The target of variational inference: a mixture of isotropic normal distributions of equal weight, centered at points. */

/** The number of components: one for each point, and at most this many, around evenly spaced points. */
const MAX_CENTERS = 200;

/** The standard deviation of each component, as a share of the larger one of the ranges of x and y. */
const DEVIATION = 0.035;

export interface Target {
  /** The centers as x0, y0, x1, y1, ... */
  readonly centers: readonly number[];
  readonly deviation: number;
}

/** The target of points x0, y0, x1, y1, ... The standard deviation is rounded, so that exported programs can contain it exactly. */
export function targetOf(values: ArrayLike<number>): Target {
  const centers = evenlySpaced(values.length / 2, MAX_CENTERS).flatMap((i) => [
    values[2 * i]!,
    values[2 * i + 1]!,
  ]);
  const ranges = [0, 1].map((axis) => {
    const coordinates = centers.filter((_, i) => i % 2 === axis);
    return Math.max(...coordinates) - Math.min(...coordinates);
  });
  return { centers, deviation: Number((DEVIATION * Math.max(...ranges)).toPrecision(3)) };
}
