import { scalar, type Tensor } from "../graph/tensor.ts";

/**
 * log Gamma(x) for x > 0: Stirling's series at x + 8, where its truncation error is below 1e-15, and the recurrence
 * log Gamma(x) = log Gamma(x + 8) - log(x (x+1) ... (x+7)).
 */
export function logGamma(x: Tensor): Tensor {
  // In float32, a product of all eight factors would overflow from x = 65,000 on; products of four overflow from x = 4e9 on.
  const product = (first: number) =>
    [1, 2, 3].reduce((factors, k) => factors.mul(x.add(first + k)), x.add(first));
  const y = x.add(8);
  const inverse = y.reciprocal();
  const square = inverse.square();
  // The coefficients B_2k / (2k (2k - 1)), B the Bernoulli numbers, highest power first.
  const series = [1 / 156, -691 / 360360, 1 / 1188, -1 / 1680, 1 / 1260, -1 / 360, 1 / 12];
  const correction = series.slice(1).reduce((sum, c) => square.mul(sum).add(c), scalar(series[0]));
  return y
    .sub(0.5)
    .mul(y.log())
    .sub(y)
    .add(0.5 * Math.log(2 * Math.PI))
    .add(correction.mul(inverse))
    .sub(product(0).log())
    .sub(product(4).log());
}
