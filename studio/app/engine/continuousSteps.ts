import { type Continuous, concat, grad, type Tensor } from "pushforward";
import { integrate } from "pushforward/numerics";

/** The number of intervals of equal length into which figures divide the time of a continuous layer. */
export const CONTINUOUS_STEPS = 8;

/** The position [N, 2] of points at the end of each interval of time, and the log-determinant [N] of the motion during it. */
export function continuousSteps(layer: Continuous, start: Tensor): { value: Tensor; logDet: Tensor }[] {
  const field = (t: Tensor, state: Tensor) => {
    const y = state.slice(1, 0, 2);
    const velocity = layer.velocity(t, y);
    const partial = (i: number) => grad(velocity.slice(1, i, i + 1).sum(), [y])[0]!.slice(1, i, i + 1);
    return concat([velocity, partial(0).add(partial(1))], 1);
  };
  let value = start;
  return Array.from({ length: CONTINUOUS_STEPS }, (_, k) => {
    const initial = concat([value, value.slice(1, 0, 1).mul(0)], 1);
    const times = { from: k / CONTINUOUS_STEPS, to: (k + 1) / CONTINUOUS_STEPS };
    const end = integrate(field, initial, times);
    value = end.slice(1, 0, 2);
    return { value, logDet: end.slice(1, 2, 3).reshape(["N"]) };
  });
}
