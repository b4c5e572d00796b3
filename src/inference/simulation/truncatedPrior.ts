import { PushforwardError } from "../../check/index.ts";
import type { Flow } from "../../flows/index.ts";
import { quantile } from "../../numerics/index.ts";
import { numberSeed, type Random } from "../../random/index.ts";
import type { EngineOptions } from "../../runtime/index.ts";
import { throwIfAborted } from "../interruption.ts";

/** The mass of the posterior that truncation leaves out (Deistler et al. 2022). */
const TRUNCATED_MASS = 1e-4;
/** The number of draws whose log-densities give the threshold. */
const THRESHOLD_DRAWS = 10_000;
/** The number of proposals in a call, and the largest number of proposals for each row of the result. */
const PROPOSALS_PER_CALL = 20_000;
const MAX_PROPOSALS_PER_ROW = 1000;

/**
 * Coordinates [n, D] from the prior, truncated to the region of highest density that has all but 0.01% of the mass of a posterior, by
 * rejection. The posterior given the observation is the same under the truncated prior, up to this mass, so one flow may be fitted
 * to simulations of both priors (Deistler, Goncalves and Macke 2022, "Truncated proposals for scalable and hassle-free simulation-based
 * inference").
 *
 * @throws NUMERIC when fewer than one in a thousand proposals is accepted; INTERRUPTED when `signal` is aborted.
 */
export async function sampleTruncatedPrior(
  flow: Flow,
  observed: Float64Array,
  n: number,
  random: Random,
  { signal, ...engine }: EngineOptions & { readonly signal?: AbortSignal | undefined },
): Promise<Float64Array> {
  const { features } = flow;
  const posterior = flow.withContext(observed);
  const seed = numberSeed(random.split("threshold"));
  const { logProb } = await flow.sampleAndLogProb(THRESHOLD_DRAWS, { ...engine, context: observed, seed });
  const threshold = quantile(logProb.toSorted(), TRUNCATED_MASS);
  const accepted = new Float64Array(n * features);
  let count = 0;
  for (let call = 0; count < n; call++) {
    if (call * PROPOSALS_PER_CALL > MAX_PROPOSALS_PER_ROW * n) {
      throw new PushforwardError(
        "NUMERIC",
        "too few draws from the prior are in the region of the posterior",
        {
          expected: `at least 1 in ${MAX_PROPOSALS_PER_ROW}`,
          received: `${count} of ${call * PROPOSALS_PER_CALL}`,
          hint: "Use fewer rounds, or more simulations in one round.",
        },
      );
    }
    await throwIfAborted(signal);
    const proposals = random.split(call).normal(new Float64Array(PROPOSALS_PER_CALL * features));
    const logDensities = await posterior.logProb(proposals, engine);
    for (let i = 0; i < PROPOSALS_PER_CALL && count < n; i++) {
      if (logDensities[i] < threshold) continue;
      accepted.set(proposals.subarray(i * features, (i + 1) * features), count * features);
      count++;
    }
  }
  return accepted;
}
