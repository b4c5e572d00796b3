import { constant, type Tensor } from "../../src/graph/tensor.ts";

/** Two-dimensional log-densities whose normalizer is known. */

const LOG_2_PI = Math.log(2 * Math.PI);
const columns = (x: Tensor) => [x.slice(1, 0, 1), x.slice(1, 1, 2)] as const;

/** x_1 ~ N(0, 1), x_2 | x_1 ~ N(x_1^2 - 1, 0.5^2). */
export function banana(x: Tensor): Tensor {
  const [a, b] = columns(x);
  const residual = b.sub(a.square()).add(1).div(0.5);
  return a
    .square()
    .add(residual.square())
    .sum(1)
    .mul(-0.5)
    .sub(LOG_2_PI + Math.log(0.5));
}

/** Equal parts of N((+-center, 0), 0.5^2 I). */
export const twoModes =
  (center: number) =>
  (x: Tensor): Tensor => {
    const squares = [center, -center].map((c) =>
      x
        .sub(constant([c, 0], [2]))
        .div(0.5)
        .square()
        .sum(1),
    );
    // Factor out the larger exponent, so that the sum does not underflow far from both modes.
    const [p, q] = squares.map((s) => s.mul(-0.5));
    const excess = p.sub(q).abs().neg().exp().log1p();
    return p
      .maximum(q)
      .add(excess)
      .sub(LOG_2_PI + Math.log(0.25) + Math.log(2));
  };

/** N(mean, L L^T) for the lower triangular L = [[a, 0], [b, c]], times exp(logNormalizer). */
export const gaussian =
  (mean: readonly [number, number], [a, b, c]: readonly [number, number, number], logNormalizer = 0) =>
  (x: Tensor): Tensor => {
    const [first, second] = columns(x.sub(constant(mean, [2])));
    const u = first.div(a);
    const v = second.sub(u.mul(b)).div(c);
    return u
      .square()
      .add(v.square())
      .sum(1)
      .mul(-0.5)
      .add(logNormalizer - LOG_2_PI - Math.log(a * c));
  };

/** Neal's funnel (2003): v ~ N(0, 3^2), and x_i ~ N(0, exp(v)) for each other column. */
export const funnel =
  (features: number) =>
  (x: Tensor): Tensor => {
    const v = x.slice(1, 0, 1).sum(1);
    const squares = x.slice(1, 1, features).square().sum(1).mul(v.neg().exp());
    const normalizer = 0.5 * features * LOG_2_PI + Math.log(3);
    return v
      .square()
      .div(9)
      .add(squares)
      .mul(-0.5)
      .sub(v.mul((features - 1) / 2))
      .sub(normalizer);
  };
