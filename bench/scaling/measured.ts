import { flops } from "../speed/flops.ts";
import { type Curve, curves, type Quantity } from "./curves.ts";
import { type Expectation, expectation } from "./expectations.ts";
import type { Point } from "./measurePoint.ts";
import { type Place, slope, upperHalf } from "./slope.ts";

/** The points of each curve by its name, in the order of its cases. */
export type Points = Readonly<Record<string, readonly Point[]>>;

/** The exponents of a curve over its upper half. */
export interface Exponents {
  readonly curve: Curve;
  readonly quantity: Quantity;
  readonly should: Expectation;
  /** That of the counted operations, which time would follow if nothing else cost any. */
  readonly counted?: number;
  readonly has: number;
  /** Where the upper half begins and ends. */
  readonly range: readonly [number, number];
}

const VALUE: Readonly<Record<Quantity, (point: Point) => number>> = {
  time: ({ medianMs }) => medianMs,
  memory: ({ mebibytes }) => mebibytes,
};

/** A curve of milliseconds or mebibytes. Where memory did not rise at all, nothing can stand on a logarithmic axis. */
export const placesOf = (curve: Curve, points: Points, quantity: Quantity): Place[] =>
  curve.cases.map(({ x }, i): Place => [x, VALUE[quantity](points[curve.name][i])]).filter(([, y]) => y > 0);

export const exponentsOf = (points: Points): Exponents[] =>
  curves.flatMap((curve) =>
    (["time", "memory"] as const).map((quantity) => {
      const [from] = upperHalf(curve.cases);
      const places = placesOf(curve, points, quantity).filter(([x]) => x >= from.x);
      const work = upperHalf(curve.cases).map(({ x, case: benchCase }): Place => [x, flops(benchCase)!]);
      return {
        curve,
        quantity,
        should: expectation(curve, quantity),
        ...(quantity === "time" && { counted: slope(work) }),
        has: slope(places),
        range: [places[0][0], places[places.length - 1][0]] as const,
      };
    }),
  );
