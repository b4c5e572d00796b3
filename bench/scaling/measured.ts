import { flops } from "../speed/flops.ts";
import { type Curve, curves, type Quantity } from "./curves.ts";
import { type Expectation, expectation } from "./expectations.ts";
import type { Point } from "./measurePoint.ts";
import { type CurvePoint, slope, upperHalf } from "./slope.ts";

/** The measured points of each curve, by the name of the curve and in the order of its cases. */
export type Points = Readonly<Record<string, readonly Point[]>>;

/** Exponents of the growth in the upper half of a curve. */
export interface Exponents {
  readonly curve: Curve;
  readonly quantity: Quantity;
  readonly expected: Expectation;
  /** Exponent of the operations that `flops` counts, over the same points; only for time. */
  readonly countedFlops?: number;
  readonly measured: number;
  /** First and last x of the upper half. */
  readonly range: readonly [number, number];
}

const quantityOf: Readonly<Record<Quantity, (point: Point) => number>> = {
  time: ({ medianMs }) => medianMs,
  memory: ({ mebibytes }) => mebibytes,
};

/** The points (x, milliseconds or mebibytes) of a curve, without those that have no logarithm: memory that did not rise. */
export const curvePoints = (curve: Curve, points: Points, quantity: Quantity): CurvePoint[] =>
  curve.cases
    .map(({ x }, i): CurvePoint => [x, quantityOf[quantity](points[curve.name][i])])
    .filter(([, y]) => y > 0);

export const exponentsOf = (points: Points): Exponents[] =>
  curves.flatMap((curve) =>
    (["time", "memory"] as const).map((quantity) => {
      const [from] = upperHalf(curve.cases);
      const measuredPoints = curvePoints(curve, points, quantity).filter(([x]) => x >= from.x);
      const work = upperHalf(curve.cases).map(({ x, case: benchCase }): CurvePoint => [x, flops(benchCase)!]);
      return {
        curve,
        quantity,
        expected: expectation(curve, quantity),
        ...(quantity === "time" && { countedFlops: slope(work) }),
        measured: slope(measuredPoints),
        range: [measuredPoints[0][0], measuredPoints[measuredPoints.length - 1][0]] as const,
      };
    }),
  );
