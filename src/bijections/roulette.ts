import { loop } from "../graph/loop.ts";
import { filled, scalar, type Tensor } from "../graph/tensor.ts";
import { drawForBatch, drawSigns } from "../graph/tracing/drawn.ts";
import { withGradient } from "../graph/withGradient.ts";
import type { Random } from "../random/index.ts";

/** Terms that every batch takes. */
const FIRST_TERMS = 2;
/** A uniform number of 53 bits is at least exp(-37). */
const LEAST_LOG = -37;

/**
 * An unbiased estimate of log det(I + J) of each row, [N], for ||J|| <= c < 1, by Russian roulette (Chen et al. 2019, "Residual
 * flows for invertible generative modeling"): `push` multiplies tangents [N, 1, D] by J. Only while `isTraining`.
 *
 *     log det(I + J) = sum_k (-1)^(k+1) tr(J^k) / k = E sum_{k <= K} (-1)^(k+1) e^T J^k e / (k P(K >= k))
 *
 * Every row draws signs e, every batch a number of terms K, with P(K >= k) = c^(k-2) from the second term on: 2 + c / (1 - c)
 * terms on average. No term is then larger than D whatever the network, so the variance is finite. (The probabilities of
 * the paper halve from term to term, which takes 4 terms, and bounds the variance for c^2 < 1/2.)
 *
 * Its gradient is an unbiased estimate of tr((I + J)^-1 dJ), of the same terms: e^T dJ v with v the sum of
 * (-1)^(k+1) J^(k-1) e / P(K >= k), the "Neumann gradient series" of the paper. So a single product is differentiated,
 * and nothing of the terms is kept.
 */
export function rouletteLogDet(push: (tangents: Tensor) => Tensor, features: number, c: number): Tensor {
  const e = drawSigns(features).reshape(["N", 1, features]);
  const terms = drawForBatch([], ({ random }) => [drawTerms(random, c)]);
  const zeros = filled(0, ["N", 1, 1]);
  const [, v, value] = loop(
    [e, filled(0, e.shape), zeros, scalar(1), scalar(1)],
    ([power, v, value, k, weight]) => {
      const next = push(power);
      const quadratic = next.mul(e).sum(2, { keepAxes: true });
      return {
        state: [
          next,
          v.add(power.mul(weight)),
          value.add(quadratic.mul(weight.div(k))),
          k.add(1),
          weight.mul(k.less(FIRST_TERMS).where(-1, -1 / c)),
        ],
        proceed: k.less(terms),
      };
    },
    { maxIterations: FIRST_TERMS + Math.ceil(LEAST_LOG / Math.log(c)) },
  );
  const differentiated = push(v.stopGradient()).mul(e).sum([1, 2]);
  return withGradient(value.reshape(["N"]), [differentiated], (g) => [g]);
}

/** K with P(K >= k) = c^(k - FIRST_TERMS) beyond the first terms. */
function drawTerms(random: Random, c: number): number {
  const [u] = random.uniform(new Float64Array(1));
  return FIRST_TERMS + Math.floor(Math.log(u) / Math.log(c));
}
