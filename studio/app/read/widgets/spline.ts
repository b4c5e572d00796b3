import { rationalQuadratic } from "../../formula/spline.ts";
import { normal } from "./oneDimension.ts";

/** A knot of a rational-quadratic spline: a point of its graph, and the derivative there. */
export interface Knot {
  readonly x: number;
  readonly y: number;
  readonly slope: number;
}

/** The spline is the identity outside of the interval from -BOUND to BOUND. */
export const BOUND = 3;
/** Bins are at least this wide and high. */
const MIN_BIN = 0.15;
/** The derivatives that a reader can set. They are positive, so that the spline increases. */
const SLOPES = { min: 0.03, max: 30 };

const ENDS: readonly [Knot, Knot] = [
  { x: -BOUND, y: -BOUND, slope: 1 },
  { x: BOUND, y: BOUND, slope: 1 },
];

/** The bins of a spline with these inner knots, from left to right. */
const binsOf = (inner: readonly Knot[]): (readonly [Knot, Knot])[] => {
  const knots = [ENDS[0], ...inner, ENDS[1]];
  return knots.slice(1).map((knot, k) => [knots[k]!, knot]);
};

/** The value of the spline at x, and its derivative (Durkan et al. 2019). */
export function splineAt(inner: readonly Knot[], x: number): { y: number; slope: number } {
  const bin = binsOf(inner).find(([from, to]) => from.x <= x && x <= to.x);
  if (!bin) return { y: x, slope: 1 };
  const [from, to] = bin;
  const { z, slope } = rationalQuadratic(
    { x: [from.x, to.x], z: [from.y, to.y], derivatives: [from.slope, to.slope] },
    x,
  );
  return { y: z, slope };
}

/** The x that the spline maps to y. Its position ξ within its bin, from 0 to 1, is a root of a ξ² + b ξ + c = 0 (Durkan et al. 2019). */
export function splineInverse(inner: readonly Knot[], y: number): number {
  const bin = binsOf(inner).find(([from, to]) => from.y <= y && y <= to.y);
  if (!bin) return y;
  const [from, to] = bin;
  const [width, height] = [to.x - from.x, to.y - from.y];
  const s = height / width;
  const common = (y - from.y) * (from.slope + to.slope - 2 * s);
  const a = height * (s - from.slope) + common;
  const b = height * from.slope - common;
  const c = -s * (y - from.y);
  return from.x + (width * 2 * c) / (-b - Math.sqrt(b ** 2 - 4 * a * c));
}

/** The density of y = f(x), where x is standard normal. */
export function imageDensity(inner: readonly Knot[], y: number): number {
  const x = splineInverse(inner, y);
  return normal(x) / splineAt(inner, x).slope;
}

/** The knots after knot k is moved to a point, or as near as its neighbors allow. */
export function moveKnot(inner: readonly Knot[], k: number, [x, y]: readonly [number, number]): Knot[] {
  const [before, after] = [inner[k - 1] ?? ENDS[0], inner[k + 1] ?? ENDS[1]];
  const between = (value: number, low: number, high: number) =>
    Math.min(high - MIN_BIN, Math.max(low + MIN_BIN, value));
  const moved = { ...inner[k]!, x: between(x, before.x, after.x), y: between(y, before.y, after.y) };
  return inner.with(k, moved);
}

/**
 * The knots with another derivative at knot k: the slope of the line from the knot to a point, within `SLOPES`. A point to the
 * left of the knot counts as one directly above or below it.
 */
export function setTangent(inner: readonly Knot[], k: number, [x, y]: readonly [number, number]): Knot[] {
  const knot = inner[k]!;
  const [dx, dy] = [Math.max(1e-3, x - knot.x), y - knot.y];
  return inner.with(k, { ...knot, slope: Math.min(SLOPES.max, Math.max(SLOPES.min, dy / dx)) });
}
