import { logMeanExp, mean, variance } from "../numerics/index.ts";

/** The evidence in nats, with its standard error. */
export interface Evidence {
  readonly logEvidence: number;
  readonly standardError: number;
}

const MAX_ITERATIONS = 1000;
const TOLERANCE = 1e-10;

/**
 * log Z of a density p = p~ / Z from draws of p and of a flow q, by the optimal bridge of Meng and Wong (1996),
 *
 *     Z = E_q[p~ / (s1 p~ + s2 Z q)] / E_p[q / (s1 p~ + s2 Z q)],
 *
 * where s1 and s2 are the shares of the draws of p and q. All terms are bounded, unlike importance weights: mass that q rarely draws is found
 * in the draws of p. `logRatiosOfDensity` and `logRatiosOfFlow` are log p~ - log q at the draws of p and of q. The draws of p are those of
 * Markov chains, with the effective sample size `effective`.
 *
 * The error is that of Fruehwirth-Schnatter (2004), to first order.
 */
export function bridgeSampling(
  logRatiosOfDensity: Float64Array,
  logRatiosOfFlow: Float64Array,
  effective: number,
): Evidence {
  const flowDraws = logRatiosOfFlow.length;
  const share = effective / (effective + flowDraws);
  const terms = (logEvidence: number) => ({
    // p / (s1 p + s2 q) for draws of q, and q / (s1 p + s2 q) for draws of p.
    ofFlow: logRatiosOfFlow.map((r) => 1 / (share + (1 - share) * Math.exp(logEvidence - r))),
    ofDensity: logRatiosOfDensity.map((r) => 1 / (share * Math.exp(r - logEvidence) + (1 - share))),
  });
  // The estimate by importance weights. It is finite unless the density is 0 at all draws of the flow.
  let logEvidence = logMeanExp(logRatiosOfFlow);
  for (let i = 0; i < MAX_ITERATIONS; i++) {
    const { ofFlow, ofDensity } = terms(logEvidence);
    const change = Math.log(mean(ofFlow)) - Math.log(mean(ofDensity));
    logEvidence += change;
    if (Math.abs(change) < TOLERANCE) break;
  }
  const { ofFlow, ofDensity } = terms(logEvidence);
  const squaredError = relativeVariance(ofFlow) / flowDraws + relativeVariance(ofDensity) / effective;
  return { logEvidence, standardError: Math.sqrt(squaredError) };
}

const relativeVariance = (values: Float64Array): number => variance(values) / mean(values) ** 2;
