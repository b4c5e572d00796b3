/** The target of variational inference: normal distributions of equal weight around points. */

/** At most this many points have a normal distribution around them. */
const MAX_CENTERS = 200;

/** The standard deviation of each, in units of the larger range of the points. */
const DEVIATION = 0.035;

export interface Target {
  readonly centers: number;
  readonly deviation: number;
}

/** The target of points, x and y in turn. The deviation is rounded, so that a program can contain it. */
export function targetOf(values: ArrayLike<number>): Target {
  const centers = Math.min(MAX_CENTERS, values.length / 2);
  const ranges = [0, 1].map((axis) => {
    const coordinates = Array.from({ length: centers }, (_, i) => values[2 * i + axis]!);
    return Math.max(...coordinates) - Math.min(...coordinates);
  });
  return { centers, deviation: Number((DEVIATION * Math.max(...ranges)).toPrecision(3)) };
}
