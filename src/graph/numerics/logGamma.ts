import type { Tensor } from "../tensor.ts";
import { polynomial } from "./polynomial.ts";

/**
 * log Gamma(x) for x > 0: Stirling's series at y = x + 8, where its truncation error is below 1e-15, and the recurrence
 * log Gamma(x) = log Gamma(y) - log(x (x+1) ... (x+7)).
 */
export function logGamma(x: Tensor): Tensor {
  const y = x.add(8);
  const inverse = y.reciprocal();
  // The product (x+1) ... (x+7) would overflow for large x, so its factors are divided by y, and 7 log y is subtracted below.
  const ratios = [1, 2, 3, 4, 5, 6, 7].map((k) => x.add(k).mul(inverse));
  const square = inverse.square();
  // The coefficients B_2k / (2k (2k - 1)), B the Bernoulli numbers, highest power first.
  const series = [1 / 156, -691 / 360360, 1 / 1188, -1 / 1680, 1 / 1260, -1 / 360, 1 / 12];
  return y
    .sub(7.5)
    .mul(y.log())
    .sub(y)
    .add(0.5 * Math.log(2 * Math.PI))
    .add(polynomial(square, series).mul(inverse))
    .sub(ratios.reduce((product, ratio) => product.mul(ratio)).log())
    .sub(x.log());
}
