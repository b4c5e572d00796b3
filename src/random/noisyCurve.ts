/** A plane curve u -> (x, y) for u in [0, 1]. */
export type Curve = (u: number) => readonly [number, number];

export interface NoisyCurveOptions {
  /** The curves, one of which is chosen with equal probability. */
  readonly curves: readonly Curve[];
  /** Standard deviation of the normal noise on each coordinate. */
  readonly noise: number;
  /** Density of u on [0, 1]; default 1. */
  readonly weight?: ((u: number) => number) | undefined;
  /** The number of quadrature nodes on each curve: about three for every standard deviation of the noise along the curve. */
  readonly nodes: number;
}

/**
 * The log-density in nats of points on one of several curves plus isotropic normal noise: [N, 2] -> [N].
 *
 *     p(x) = 1/C sum_c integral over u of weight(u) Normal(x; curve_c(u), noise^2 I)
 *
 * The integral is computed by Fejér's first rule (Chebyshev nodes), whose error decreases exponentially for smooth curves: with
 * enough nodes only rounding errors are left.
 */
export function noisyCurve(options: NoisyCurveOptions): (rows: ArrayLike<number>) => Float64Array {
  const { curves, noise, weight = () => 1, nodes } = options;
  let points: { x: number; y: number; logWeight: number }[] | undefined;
  return (rows) => {
    points ??= curves.flatMap((curve) =>
      fejer(nodes).map(({ node, weight: nodeWeight }) => {
        const [x, y] = curve(node);
        return { x, y, logWeight: Math.log((nodeWeight * weight(node)) / curves.length) };
      }),
    );
    const terms = new Float64Array(points.length);
    const offset = Math.log(2 * Math.PI * noise ** 2);
    return Float64Array.from({ length: rows.length / 2 }, (_, row) => {
      let largest = Number.NEGATIVE_INFINITY;
      points!.forEach(({ x, y, logWeight }, k) => {
        const distance = (rows[2 * row]! - x) ** 2 + (rows[2 * row + 1]! - y) ** 2;
        terms[k] = logWeight - distance / (2 * noise ** 2);
        largest = Math.max(largest, terms[k]!);
      });
      if (!Number.isFinite(largest)) return largest;
      let sum = 0;
      for (const term of terms) sum += Math.exp(term - largest);
      return largest + Math.log(sum) - offset;
    });
  };
}

/**
 * Nodes and weights of Fejér's first rule on [0, 1] (Waldvogel, "Fast construction of the Fejér and Clenshaw-Curtis rules",
 * 2006).
 */
function fejer(n: number): { node: number; weight: number }[] {
  return Array.from({ length: n }, (_, k) => {
    const angle = ((k + 0.5) * Math.PI) / n;
    let sum = 1;
    for (let j = 1; j <= n / 2; j++) sum -= (2 * Math.cos(2 * j * angle)) / (4 * j * j - 1);
    return { node: (1 - Math.cos(angle)) / 2, weight: sum / n };
  });
}
