import { constant, type Tensor } from "../../graph/index.ts";

/**
 * Nodes and weights of Gauss-Legendre quadrature on [0, 1] with n nodes. It is exact for polynomials of degree 2 n - 1. For a
 * function that is analytic in an ellipse around the interval, whose semi-axes have the sum r > 1 in units of half the interval,
 * the error is of order r^(-2 n), with Clenshaw-Curtis r^(-n) (Trefethen 2008, "Is Gauss quadrature better than
 * Clenshaw-Curtis?"). All weights are positive.
 */
export function gaussLegendre(count: number): { nodes: Tensor; weights: Tensor } {
  const nodes: number[] = [];
  const weights: number[] = [];
  for (let i = 0; i < count; i++) {
    // Newton's method for root i of the Legendre polynomial, from an approximation of that root.
    let t = -Math.cos((Math.PI * (i + 0.75)) / (count + 0.5));
    let slope = 0;
    for (let iteration = 0; iteration < 20; iteration++) {
      let [previous, value] = [1, t];
      for (let k = 2; k <= count; k++)
        [previous, value] = [value, ((2 * k - 1) * t * value - (k - 1) * previous) / k];
      slope = (count * (t * value - previous)) / (t * t - 1);
      t -= value / slope;
    }
    nodes.push((t + 1) / 2);
    weights.push(1 / ((1 - t * t) * slope * slope));
  }
  return { nodes: constant(nodes, [count]), weights: constant(weights, [count]) };
}
