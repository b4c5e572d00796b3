/**
 * Points on the straight line between two latent rows, [steps, D], for at least two steps: z_k = (1 - t) from + t to with t = k /
 * (steps - 1).
 */
export function latentLine(from: Float64Array, to: Float64Array, steps: number): Float64Array {
  const D = from.length;
  return Float64Array.from({ length: steps * D }, (_, i) => {
    const [t, d] = [Math.floor(i / D) / (steps - 1), i % D];
    return (1 - t) * from[d]! + t * to[d]!;
  });
}
