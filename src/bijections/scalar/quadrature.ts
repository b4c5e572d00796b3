import { constant, type Tensor } from "../../graph/tensor.ts";

/**
 * Gauss-Legendre nodes s and weights on [0, 1]: exact for polynomials of degree 2 n - 1, and for an analytic function with
 * an error of order r^(-2 n), where Clenshaw-Curtis has r^(-n) (Trefethen 2008, "Is Gauss quadrature better than
 * Clenshaw-Curtis?"). All weights are positive.
 */
export function gaussLegendre(count: number): { nodes: Tensor; weights: Tensor } {
  const nodes: number[] = [];
  const weights: number[] = [];
  for (let i = 0; i < count; i++) {
    // Newton's method on the polynomial, from a start that is near one root each.
    let t = -Math.cos((Math.PI * (i + 0.75)) / (count + 0.5));
    let slope = 0;
    for (let turn = 0; turn < 20; turn++) {
      let [before, value] = [1, t];
      for (let k = 2; k <= count; k++)
        [before, value] = [value, ((2 * k - 1) * t * value - (k - 1) * before) / k];
      slope = (count * (t * value - before)) / (t * t - 1);
      t -= value / slope;
    }
    nodes.push((t + 1) / 2);
    weights.push(1 / ((1 - t * t) * slope * slope));
  }
  return { nodes: constant(nodes, [count]), weights: constant(weights, [count]) };
}
