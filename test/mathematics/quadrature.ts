/** Nodes and weights on a line. */
export interface Rule {
  readonly nodes: Float64Array;
  readonly weights: Float64Array;
}

/** The trapezoidal rule after the substitution x = x(t), for t in steps of `step` over [-reach, reach]. */
function trapezoid(
  x: (t: number) => number,
  derivative: (t: number) => number,
  reach: number,
  count: number,
): Rule {
  const step = (2 * reach) / (count - 1);
  const t = Float64Array.from({ length: count }, (_, i) => -reach + i * step);
  return { nodes: t.map(x), weights: t.map((u) => step * derivative(u)) };
}

/** Fine around 0, coarser outward, to +-`reach`: for densities that fall at least exponentially. */
export function lineRule(count: number, reach = 60): Rule {
  return trapezoid(Math.sinh, Math.cosh, Math.asinh(reach), count);
}

/** To +-10^40 in double-exponential steps (Takahasi and Mori 1974): for densities with power-law tails. */
export function heavyTailedRule(count: number): Rule {
  const half = Math.PI / 2;
  return trapezoid(
    (t) => Math.sinh(half * Math.sinh(t)),
    (t) => Math.cosh(half * Math.sinh(t)) * half * Math.cosh(t),
    Math.asinh(92 / half),
    count,
  );
}

/** Both sides of a kink in double-exponential steps, from 10^-10 to 200 away from it: for densities that fall exponentially. */
export function kinkRule(kink: number, count: number): Rule {
  const half = Math.PI / 2;
  const [low, high] = [-Math.log(1e10), Math.log(200)].map((x) => Math.asinh(x / half));
  const size = Math.floor(count / 2);
  const step = (high - low) / (size - 1);
  const t = Float64Array.from({ length: size }, (_, i) => low + i * step);
  const away = t.map((u) => Math.exp(half * Math.sinh(u)));
  const weights = t.map((u, i) => step * half * Math.cosh(u) * away[i]);
  const mirrored = (side: (values: Float64Array) => Float64Array, values: Float64Array) =>
    Float64Array.from([...side(values).reverse(), ...values]);
  return {
    nodes: mirrored((values) => values.map((v) => -v), away).map((v) => kink + v),
    weights: mirrored((values) => values.slice(), weights),
  };
}

/** Equal steps over [low, high]. */
export function intervalRule(low: number, high: number, count: number): Rule {
  const step = (high - low) / (count - 1);
  const nodes = Float64Array.from({ length: count }, (_, i) => (i === count - 1 ? high : low + i * step));
  return { nodes, weights: nodes.map((_, i) => (i === 0 || i === count - 1 ? step / 2 : step)) };
}

/** All pairs of nodes as rows [n m, 2], those of the second together, with the products of their weights. */
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

/** sum_i w_i exp(log f_i); a node of weight 0 counts 0. */
export function integral(logValues: ArrayLike<number>, weights: Float64Array): number {
  return weights.reduce((sum, weight, i) => sum + weight * Math.exp(logValues[i]), 0);
}

/** The distribution function of a density on nodes: trapezoids, linear between nodes, 1 at the end. */
export function cumulative(rule: Rule, density: ArrayLike<number>): (x: number) => number {
  const { nodes } = rule;
  const total = new Float64Array(nodes.length);
  for (let i = 1; i < nodes.length; i++) {
    total[i] = total[i - 1] + 0.5 * (nodes[i] - nodes[i - 1]) * (density[i] + density[i - 1]);
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
    const share = (x - nodes[below]) / (nodes[above] - nodes[below]);
    return (total[below] + share * (total[above] - total[below])) / total[total.length - 1];
  };
}
