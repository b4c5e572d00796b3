import type { Tensor } from "../../graph/tensor.ts";

/** Elementwise result: both of the shape of the argument, or smaller by broadcasting. */
export interface ScalarTransformed {
  readonly value: Tensor;
  /** log |dy/dx| of each element. */
  readonly logDerivative: Tensor;
}

/**
 * A monotonic map of one variable whose parameters a network gives for each row and feature: what coupling and
 * autoregressive bijections apply to a feature. All parameters at 0 give the identity.
 *
 * `raw` holds the parameters of D features side by side, [N, D P] (or [D P] where they are the same for all rows).
 */
export interface ScalarTransform {
  /** P, the number of parameters of a feature. */
  readonly parameters: number;
  /** Which of `features` features each of the D P columns of `raw` belongs to. */
  columns(features: number): number[];
  /** Density direction, x to z; the closed form of every transform is in this direction. */
  toLatent(x: Tensor, raw: Tensor): ScalarTransformed;
  /** Sampling direction, z to x. */
  toData(z: Tensor, raw: Tensor): ScalarTransformed;
}

/** Parameters in blocks, feature by feature inside a block: [a_1 ... a_D, b_1 ... b_D]. */
export const blockColumns = (features: number, parameters: number): number[] =>
  Array.from({ length: features * parameters }, (_, column) => column % features);

/** Smooth clamp to (-bound, bound) with slope 1 at 0: a / (1 + |a| / bound). */
export const softClamp = (a: Tensor, bound: number): Tensor =>
  a.div(
    a
      .abs()
      .mul(1 / bound)
      .add(1),
  );
