import {
  drawForBatch,
  drawRademacher,
  filled,
  loop,
  scalar,
  type Tensor,
  withGradient,
} from "../graph/index.ts";
import type { Random } from "../random/index.ts";

/** Every batch computes at least this many terms of the series. */
const FIRST_TERMS = 2;
/** A lower bound of the logarithm of a uniform random number with 53 bits, 2^-53 = exp(-36.7): it bounds the number of terms. */
const MIN_LOG_UNIFORM = -37;

/**
 * An unbiased estimate of log det(I + J) of each row, [N], for ||J|| <= c < 1, by the Russian roulette estimator (Chen et al. 2019,
 * "Residual flows for invertible generative modeling"). `push` multiplies tangents [N, 1, D] by J. Use it in training only.
 *
 *     log det(I + J) = sum_k (-1)^(k+1) tr(J^k) / k = E sum_{k <= K} (-1)^(k+1) e^T J^k e / (k P(K >= k))
 *
 * Random signs e are drawn for each row, and the number of terms K for each batch, with P(K >= k) = c^(k-2) for k > 2: on
 * average 2 + c / (1 - c) terms. No term then exceeds D for any network, so the variance is finite. (The paper halves the
 * probabilities from term to term: 4 terms on average, and a finite variance for c^2 < 1/2 only.)
 *
 * The gradient is an unbiased estimate of tr((I + J)^-1 dJ) from the same terms: e^T dJ v, where v is the sum of
 * (-1)^(k+1) J^(k-1) e / P(K >= k), the paper's Neumann gradient series. So only one product is differentiated, and the terms
 * need not be stored.
 */
export function russianRouletteLogDet(
  push: (tangents: Tensor) => Tensor,
  features: number,
  c: number,
): Tensor {
  const e = drawRademacher(features).reshape(["N", 1, features]);
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
    { maxIterations: FIRST_TERMS + Math.ceil(MIN_LOG_UNIFORM / Math.log(c)) },
  );
  const differentiated = push(v.stopGradient()).mul(e).sum([1, 2]);
  return withGradient(value.reshape(["N"]), [differentiated], (g) => [g]);
}

/** Draws K with P(K >= k) = c^(k - FIRST_TERMS) for k > FIRST_TERMS. */
function drawTerms(random: Random, c: number): number {
  const [u] = random.uniform(new Float64Array(1));
  return FIRST_TERMS + Math.floor(Math.log(u) / Math.log(c));
}
