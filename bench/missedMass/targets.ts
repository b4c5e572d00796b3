import { concat, constant, type Tensor } from "../../src/graph/tensor.ts";

/** A normalized log-density, so that log Z is 0: maps a tensor [N, D] to [N]. */
export type Target = (x: Tensor) => Tensor;

const LOG_2_PI = Math.log(2 * Math.PI);

/** Neal's funnel (2003): v ~ N(0, 3^2) and x_i ~ N(0, exp(v)) for the other D - 1 columns. */
export const funnel =
  (features: number): Target =>
  (x) => {
    const v = x.slice(1, 0, 1);
    const squares = x.slice(1, 1, features).square().sum(1);
    const first = v.div(3).square().sum(1).mul(-0.5);
    const others = squares.mul(v.neg().exp().sum(1)).mul(-0.5);
    return first
      .add(others)
      .sub(v.sum(1).mul((features - 1) / 2))
      .sub(0.5 * features * LOG_2_PI + Math.log(3));
  };

/**
 * N(0, S) with standard deviations from 1 to 10 and a correlation of 0.9 between neighboring columns, computed as the product
 * of the conditional densities.
 */
export const gaussian =
  (features: number): Target =>
  (x) => {
    const scales = Array.from({ length: features }, (_, i) => 10 ** (i / Math.max(1, features - 1)));
    const u = x.div(constant(scales, [features]));
    const previous = u.slice(1, 0, features - 1);
    const residual = u
      .slice(1, 1, features)
      .sub(previous.mul(0.9))
      .div(Math.sqrt(1 - 0.81));
    const squares = concat([u.slice(1, 0, 1), residual], 1)
      .square()
      .sum(1);
    const logScales = scales.reduce((sum, s) => sum + Math.log(s), 0);
    const logResidual = 0.5 * (features - 1) * Math.log(1 - 0.81);
    return squares.mul(-0.5).sub(0.5 * features * LOG_2_PI + logScales + logResidual);
  };

/** x_1 ~ N(0, 1), x_2 | x_1 ~ N(x_1^2 - 1, 0.5^2). */
export const banana: Target = (x) => {
  const [a, b] = [x.slice(1, 0, 1), x.slice(1, 1, 2)];
  const residual = b.sub(a.square()).add(1).div(0.5);
  return a
    .square()
    .add(residual.square())
    .sum(1)
    .mul(-0.5)
    .sub(LOG_2_PI + Math.log(0.5));
};

/** share N((center, 0, ...), 0.5^2 I) + (1 - share) N((-center, 0, ...), 0.5^2 I). */
export const twoModes =
  (features: number, center: number, share = 0.5): Target =>
  (x) => {
    const logComponent = (c: number, part: number) => {
      const mean = constant([c, ...new Array<number>(features - 1).fill(0)], [features]);
      const squares = x.sub(mean).div(0.5).square().sum(1);
      return squares.mul(-0.5).add(Math.log(part) - features * (0.5 * LOG_2_PI + Math.log(0.5)));
    };
    const [p, q] = [logComponent(center, share), logComponent(-center, 1 - share)];
    return p.maximum(q).add(p.sub(q).abs().neg().exp().log1p());
  };

/** Independent Cauchy columns. */
export const cauchy =
  (features: number): Target =>
  (x) =>
    x
      .square()
      .log1p()
      .sum(1)
      .neg()
      .sub(features * Math.log(Math.PI));

/** Independent Student t columns with 3 degrees of freedom. */
export const studentT3 =
  (features: number): Target =>
  (x) =>
    x
      .square()
      .div(3)
      .log1p()
      .sum(1)
      .mul(-2)
      .add(features * Math.log(2 / (Math.PI * Math.sqrt(3))));
