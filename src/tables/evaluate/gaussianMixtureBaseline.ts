import { limitReached } from "../../check/index.ts";
import { type InMemoryDataset, withMeanWeightOne } from "../../dataset/index.ts";
import { kMeans } from "../../distributions/index.ts";
import { logSumExp, mean } from "../../numerics/index.ts";
import { Random } from "../../random/index.ts";
import type { Baseline } from "./gaussianBaseline.ts";
import { FeatureScaling, type GaussianFeature, type StandardizedRows } from "./gaussianFeatures.ts";
import { LinearGaussian } from "./linearGaussian.ts";

/**
 * Candidates of the ridge that is added to the variances of standardized features: a small ridge allows narrow components, and a large one
 * prevents components that fit single rows.
 */
const RIDGES = [1e-3, 1e-5];
const MAX_COMPONENTS = 32;
/** K components of D features need at least this many times K (D + 1) rows. */
const MIN_ROWS_PER_FEATURE = 4;
const MAX_ITERATIONS = 50;
const TOLERANCE_NATS = 1e-3;
/** The share of the rows whose log-density selects the number of components and the ridge. */
const HELD_OUT_SHARE = 1 / 6;

/**
 * A mixture of Gaussians (`LinearGaussian`), fitted by expectation maximization from k-means. The number of components (1, 2, 4, ...) and
 * the ridge are those with the highest log-density of a sixth of the rows under mixtures that are fitted to the others. The mixture with these
 * is then fitted to all rows.
 */
export async function gaussianMixtureBaseline(
  features: readonly GaussianFeature[],
  given: InMemoryDataset,
): Promise<Baseline & { readonly components: number }> {
  const data = withMeanWeightOne(given);
  const { rows } = data;
  const scaling = new FeatureScaling(features, data);
  const prepare = (part: InMemoryDataset): WeightedRows => ({
    ...scaling.standardized(part),
    weights: part.weights,
  });
  const order = new Random(0).split("gaussian mixture").permutation(rows);
  const count = Math.max(1, Math.floor(HELD_OUT_SHARE * rows));
  const [heldOut, training] = [order.subarray(0, count), order.subarray(count)].map((indices) =>
    prepare(data.select(indices)),
  );
  const limit = Math.min(MAX_COMPONENTS, rows / (MIN_ROWS_PER_FEATURE * (features.length + 1)));
  let best = { components: 1, ridge: RIDGES[0], score: Number.NEGATIVE_INFINITY };
  // Doubling the components ends after two numbers in a row without a better score.
  for (let components = 1, failures = 0; components <= Math.max(1, limit) && failures < 2; components *= 2) {
    failures++;
    for (const ridge of RIDGES) {
      const score = mean((await fitMixture(scaling, training, components, ridge)).logDensities(heldOut));
      if (score <= best.score) continue;
      best = { components, ridge, score };
      failures = 0;
    }
  }
  const mixture = await fitMixture(scaling, prepare(data), best.components, best.ridge);
  return {
    components: best.components,
    logDensities: async (others) => mixture.logDensities(scaling.standardized(others)),
  };
}

interface WeightedRows extends StandardizedRows {
  readonly weights: Float64Array;
}

/** Fits a mixture by expectation maximization. */
async function fitMixture(scaling: FeatureScaling, data: WeightedRows, components: number, ridge: number) {
  const { rows, values, weights } = data;
  const clusters = await kMeans(
    { rows, features: scaling.features.length, values, weights },
    components,
    new Random(0).split("kmeans"),
  );
  let responsibilities = Array.from({ length: components }, (_, k) =>
    weights.map((weight, n) => (clusters[n] === k ? weight : 0)),
  );
  let mixture = mStep(scaling, data, responsibilities, ridge);
  let last = Number.NEGATIVE_INFINITY;
  for (let iteration = 0; iteration < MAX_ITERATIONS; iteration++) {
    const { joint, logDensities } = mixture.evaluate(data);
    const current = mean(logDensities);
    if (current - last < TOLERANCE_NATS) break;
    last = current;
    responsibilities = joint.map((ofComponent) =>
      weights.map((weight, n) => weight * Math.exp(ofComponent[n] - logDensities[n])),
    );
    mixture = mStep(scaling, data, responsibilities, ridge);
    // Without a limit, this only lets the event loop handle other events, such as signals.
    await limitReached({});
  }
  return mixture;
}

/** Fits a Gaussian to the rows with the weights of each array of `responsibilities`, which include the weights of the rows. */
function mStep(
  scaling: FeatureScaling,
  data: WeightedRows,
  responsibilities: readonly Float64Array[],
  ridge: number,
) {
  const totals = responsibilities.map((each) => each.reduce((sum, value) => sum + value, 0));
  const total = totals.reduce((sum, value) => sum + value, 0);
  // A component with less than one row is removed, because it has no covariance.
  const kept = responsibilities.flatMap((weights, k) =>
    totals[k] >= 1 ? [{ weights, total: totals[k] }] : [],
  );
  const components = kept.map(({ weights }) => new LinearGaussian(scaling, data, weights, ridge));
  const logWeights = kept.map((each) => Math.log(each.total / total));
  const evaluate = (rows: StandardizedRows) => {
    const joint = components.map((component, k) =>
      component.logDensities(rows).map((value) => logWeights[k] + value),
    );
    const logDensities = Float64Array.from({ length: rows.rows }, (_, n) =>
      logSumExp(joint.map((ofComponent) => ofComponent[n])),
    );
    return { joint, logDensities };
  };
  return { evaluate, logDensities: (rows: StandardizedRows) => evaluate(rows).logDensities };
}
