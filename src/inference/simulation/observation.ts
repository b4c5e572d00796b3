import { brief, PushforwardError } from "../../check/index.ts";
import { type AffineMap, affineMapOf, unmapRows } from "../affineMap.ts";
import type { Simulations } from "./simulate.ts";

/** A copy of the observation. Throws `SHAPE` for a wrong number of values, and `DATA` for values that are not finite. */
export function checkedObservation(observed: ArrayLike<number>, width: number): Float64Array {
  if (observed?.length !== width) {
    throw new PushforwardError(
      "SHAPE",
      "the observation has a different number of values from a simulation",
      {
        expected: `${width}`,
        received: observed?.length === undefined ? brief(observed) : `${observed.length}`,
      },
    );
  }
  const nested = Array.from(observed).find((value: unknown) => typeof value !== "number");
  if (nested !== undefined) {
    throw new PushforwardError("DATA", "the observation has a value that is not a number", {
      expected: "the numbers of one observation",
      received: brief(nested),
      hint: "Each observation has a posterior of its own: give one after the other.",
    });
  }
  const values = Float64Array.from(observed);
  const index = values.findIndex((value) => !Number.isFinite(value));
  if (index < 0) return values;
  throw new PushforwardError("DATA", `value ${index} of the observation is not a finite number`, {
    received: `${values[index]}`,
  });
}

/** Where an observation lies among simulations: a posterior that was fitted to simulations is not valid far from them. */
export interface ObservationCheck {
  /** The indices of the values of the observation that are below or above those of all simulations. */
  readonly outside: readonly number[];
  /** The share of the simulations whose Mahalanobis distance from the mean of all is at least that of the observation. */
  readonly share: number;
}

/**
 * Compares an observation with simulations of the prior.
 *
 * @throws SHAPE when the observation has a different number of values from a simulation; DATA when a value is not finite.
 */
export function checkObservation(
  observed: ArrayLike<number>,
  { width, count, data }: Simulations,
): ObservationCheck {
  const values = checkedObservation(observed, width);
  const outside = Array.from(values.keys()).filter((k) => {
    let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
    for (let i = k; i < data.length; i += width) {
      low = Math.min(low, data[i]);
      high = Math.max(high, data[i]);
    }
    return values[k] < low || values[k] > high;
  });
  const map = affineMapOf(data, width);
  const [distance] = squaredDistances(map, values);
  const farther = squaredDistances(map, data).filter((each) => each >= distance).length;
  return { outside, share: farther / count };
}

function squaredDistances(map: AffineMap, rows: Float64Array): Float64Array {
  const width = map.center.length;
  const distances = new Float64Array(rows.length / width);
  unmapRows(map, rows).forEach((z, i) => {
    distances[Math.floor(i / width)] += z ** 2;
  });
  return distances;
}
