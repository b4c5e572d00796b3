import type { InMemoryDataset } from "../dataset/index.ts";
import { kMeans } from "../distributions/kMeans.ts";
import { limitReached } from "../limits.ts";
import { Random } from "../random/index.ts";
import type { Baseline } from "./gaussianBaseline.ts";
import { FeatureScaling, type GaussianFeature, type ScaledRows } from "./gaussianFeatures.ts";
import { LinearGaussian } from "./linearGaussian.ts";

/** Added to the variances of standardized features: a small one lets components be narrow, a large one protects them from single rows. */
const RIDGES = [1e-3, 1e-5];
const MAX_COMPONENTS = 32;
/** A component has at least this many rows for each number of its mean. */
const MIN_ROWS_PER_FEATURE = 4;
const MAX_ITERATIONS = 50;
const TOLERANCE_NATS = 1e-3;
/** The share of the rows on which the number of components and the ridge are chosen. */
const HELD_OUT_SHARE = 1 / 6;

/**
 * A mixture of Gaussians (`LinearGaussian`), fitted by expectation maximization from k-means. The number of components (1, 2, 4, ...) and
 * the ridge are those with the highest log-density of a sixth of the rows, with which it is then fitted to all rows.
 */
export async function gaussianMixtureBaseline(
  features: readonly GaussianFeature[],
  { rows, values, weights }: InMemoryDataset,
): Promise<Baseline & { readonly components: number }> {
  const scaling = new FeatureScaling(features, { rows, values });
  const all = { ...scaling.scaled({ rows, values }), weights };
  const order = new Random(0).split("gaussian mixture").permutation(rows);
  const count = Math.max(1, Math.floor(HELD_OUT_SHARE * rows));
  const [heldOut, training] = [order.subarray(0, count), order.subarray(count)].map((indices) =>
    selected(all, indices, features.length),
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
  const mixture = await fitMixture(scaling, all, best.components, best.ridge);
  return {
    components: best.components,
    logDensities: async (given) => mixture.logDensities(scaling.scaled(given)),
  };
}

interface WeightedRows extends ScaledRows {
  readonly weights: Float64Array;
}

const selected = ({ values, codes, weights }: WeightedRows, indices: Int32Array, D: number): WeightedRows => {
  const select = <T extends Float64Array | Int32Array>(from: T, to: T): T => {
    indices.forEach((row, n) => {
      to.set(from.subarray(row * D, (row + 1) * D), n * D);
    });
    return to;
  };
  const size = indices.length * D;
  return {
    rows: indices.length,
    values: select(values, new Float64Array(size)),
    codes: select(codes, new Int32Array(size)),
    weights: Float64Array.from(indices, (row) => weights[row]),
  };
};

const mean = (values: Float64Array): number => values.reduce((sum, value) => sum + value, 0) / values.length;

/** A mixture after expectation maximization. */
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
    await limitReached({});
  }
  return mixture;
}

function mStep(
  scaling: FeatureScaling,
  data: WeightedRows,
  responsibilities: readonly Float64Array[],
  ridge: number,
) {
  const totals = responsibilities.map((each) => each.reduce((sum, value) => sum + value, 0));
  const total = totals.reduce((sum, value) => sum + value, 0);
  // A component of less than one row has no covariance.
  const kept = responsibilities.flatMap((weights, k) =>
    totals[k] >= 1 ? [{ weights, total: totals[k] }] : [],
  );
  const components = kept.map(({ weights }) => new LinearGaussian(scaling, data, weights, ridge));
  const logWeights = kept.map((each) => Math.log(each.total / total));
  const evaluate = (rows: ScaledRows) => {
    const joint = components.map((component, k) =>
      component.logDensities(rows).map((value) => logWeights[k] + value),
    );
    const logDensities = Float64Array.from({ length: rows.rows }, (_, n) => {
      const largest = joint.reduce((max, each) => Math.max(max, each[n]), Number.NEGATIVE_INFINITY);
      if (largest === Number.NEGATIVE_INFINITY) return largest;
      return largest + Math.log(joint.reduce((sum, each) => sum + Math.exp(each[n] - largest), 0));
    });
    return { joint, logDensities };
  };
  return { evaluate, logDensities: (rows: ScaledRows) => evaluate(rows).logDensities };
}
