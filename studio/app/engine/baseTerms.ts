import { type Distribution, GaussianMixture, Logistic, StandardNormal, StudentT } from "pushforward";
import type { BaseTerms, Pair } from "../formula/terms.ts";

/** The numbers in the formula of a base distribution of two features at the point z. */
export function baseTerms(base: Distribution, z: Pair): BaseTerms {
  if (base instanceof StandardNormal) return { type: "normal" };
  if (base instanceof Logistic) return { type: "logistic" };
  if (base instanceof StudentT) {
    const { mean, logScale, logDegreesOfFreedom } = base;
    const coordinates = [0, 1].map((i) => ({
      mean: mean.numbers[i]!,
      s: logScale.numbers[i]!,
      nu: Math.exp(logDegreesOfFreedom.numbers[i]!),
    }));
    return { type: "studentT", coordinates };
  }
  if (base instanceof GaussianMixture) return { type: "mixture", densities: weightedDensities(base, z) };
  throw new Error(`The page has no formula of a base distribution of the type ${base.describe().type}.`);
}

/** The density of each component times its weight. */
function weightedDensities(
  { components, logWeights, means, logDiagonal, lower }: GaussianMixture,
  z: Pair,
): number[] {
  const weights = Array.from(logWeights.numbers, Math.exp);
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return Array.from({ length: components }, (_, k) => {
    const [dx, dy] = [z[0] - means.numbers[2 * k]!, z[1] - means.numbers[2 * k + 1]!];
    const [d0, d1] = [logDiagonal.numbers[2 * k]!, logDiagonal.numbers[2 * k + 1]!];
    // The precision matrix is A A^T with the lower triangular A, so the exponent is |A^T (z - m)|^2.
    const y0 = Math.exp(d0) * dx + lower.numbers[4 * k + 2]! * dy;
    const y1 = Math.exp(d1) * dy;
    return ((weights[k]! / total) * Math.exp(d0 + d1 - (y0 ** 2 + y1 ** 2) / 2)) / (2 * Math.PI);
  });
}
