/** A quadrature rule in one dimension: the integral of f is the sum of weights[i] f(nodes[i]). */
export interface Rule {
  readonly nodes: Float64Array;
  readonly weights: Float64Array;
}

/** The trapezoidal rule with `count` nodes after the substitution x = x(t), for t in [-halfWidth, halfWidth]. */
function trapezoid(
  x: (t: number) => number,
  derivative: (t: number) => number,
  halfWidth: number,
  count: number,
): Rule {
  const step = (2 * halfWidth) / (count - 1);
  const t = Float64Array.from({ length: count }, (_, i) => -halfWidth + i * step);
  return { nodes: t.map(x), weights: t.map((u) => step * derivative(u)) };
}

/** For densities on [-halfWidth, halfWidth] that fall at least exponentially; the nodes are densest near 0. */
export function lineRule(count: number, halfWidth = 60): Rule {
  return trapezoid(Math.sinh, Math.cosh, Math.asinh(halfWidth), count);
}

/** For densities with power-law tails: double-exponential quadrature (Takahasi and Mori 1974) up to ±10^40. */
export function heavyTailedRule(count: number): Rule {
  const half = Math.PI / 2;
  return trapezoid(
    (t) => Math.sinh(half * Math.sinh(t)),
    (t) => Math.cosh(half * Math.sinh(t)) * half * Math.cosh(t),
    Math.asinh(92 / half),
    count,
  );
}

/** For densities with a kink that fall exponentially: double-exponential quadrature at distances of 10^-10 to 200 from the kink. */
export function kinkRule(kink: number, count: number): Rule {
  const half = Math.PI / 2;
  const [low, high] = [-Math.log(1e10), Math.log(200)].map((x) => Math.asinh(x / half));
  const size = Math.floor(count / 2);
  const step = (high - low) / (size - 1);
  const t = Float64Array.from({ length: size }, (_, i) => low + i * step);
  const distances = t.map((u) => Math.exp(half * Math.sinh(u)));
  const weights = t.map((u, i) => step * half * Math.cosh(u) * distances[i]);
  const mirrored = (side: (values: Float64Array) => Float64Array, values: Float64Array) =>
    Float64Array.from([...side(values).reverse(), ...values]);
  return {
    nodes: mirrored((values) => values.map((v) => -v), distances).map((v) => kink + v),
    weights: mirrored((values) => values.slice(), weights),
  };
}

/** The trapezoidal rule with equal steps over [low, high]. */
export function intervalRule(low: number, high: number, count: number): Rule {
  const step = (high - low) / (count - 1);
  const nodes = Float64Array.from({ length: count }, (_, i) => (i === count - 1 ? high : low + i * step));
  return { nodes, weights: nodes.map((_, i) => (i === 0 || i === count - 1 ? step / 2 : step)) };
}

/** The product rule in two dimensions: rows [n m, 2], in which the second coordinate varies fastest, and their weights. */
export function square(rule: Rule, second = rule): { rows: Float64Array; weights: Float64Array } {
  const [first, size] = [rule.nodes.length, second.nodes.length];
  const rows = new Float64Array(2 * first * size);
  const weights = new Float64Array(first * size);
  for (let i = 0; i < first; i++) {
    for (let j = 0; j < size; j++) {
      rows[2 * (i * size + j)] = rule.nodes[i];
      rows[2 * (i * size + j) + 1] = second.nodes[j];
      weights[i * size + j] = rule.weights[i] * second.weights[j];
    }
  }
  return { rows, weights };
}

/** Integral of exp(logValues): sum_i weights[i] exp(logValues[i]). */
export function integral(logValues: ArrayLike<number>, weights: Float64Array): number {
  return weights.reduce((sum, weight, i) => sum + weight * Math.exp(logValues[i]), 0);
}

/** Distribution function of a density on nodes by the trapezoidal rule: linear between nodes, and normalized to 1. */
export function cumulative(rule: Rule, density: ArrayLike<number>): (x: number) => number {
  const { nodes } = rule;
  const integrals = new Float64Array(nodes.length);
  for (let i = 1; i < nodes.length; i++) {
    integrals[i] = integrals[i - 1] + 0.5 * (nodes[i] - nodes[i - 1]) * (density[i] + density[i - 1]);
  }
  return (x) => {
    if (x <= nodes[0]) return 0;
    if (x >= nodes[nodes.length - 1]) return 1;
    let below = 0;
    let above = nodes.length - 1;
    while (above - below > 1) {
      const middle = (below + above) >> 1;
      if (nodes[middle] <= x) below = middle;
      else above = middle;
    }
    const fraction = (x - nodes[below]) / (nodes[above] - nodes[below]);
    const integralToX = integrals[below] + fraction * (integrals[above] - integrals[below]);
    return integralToX / integrals[integrals.length - 1];
  };
}
