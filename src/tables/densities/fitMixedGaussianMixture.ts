import type { DataRows } from "../../bijections/index.ts";
import { type Limits, limitReached } from "../../check/index.ts";
import { selectDataRows, shuffledRows } from "../../distributions/index.ts";
import { Random } from "../../random/index.ts";
import type { Floats } from "../../runtime/index.ts";
import type { ColumnHeadOptions } from "./heads/columnHead.ts";
import { MixedGaussianMixture } from "./mixedGaussianMixture.ts";
import { initialResponsibilities, type PreparedRows, prepareRows } from "./mixedGaussianRows.ts";
import { MixedGaussianSteps } from "./mixedGaussianSteps.ts";

/** Expectation maximization uses a random subset of this many rows, to save time. */
const MAX_ROWS = 5_000;
/**
 * In each iteration, a component costs N M^2 products for N rows and M numeric columns. N is reduced so that these are at most this many.
 */
const MAX_PRODUCTS = 1e7;
/** Without held-out rows, this share of the rows is held out. */
const HELD_OUT_SHARE = 1 / 6;
/**
 * The covariance of a component is estimated as if it had this many additional rows with the pooled covariance, which is the
 * covariance within all components together (regularized discriminant analysis, Friedman 1989). The held-out rows select one of these
 * numbers.
 */
const SHARED_ROWS = [50, 10, 2];
/**
 * Factors of the regularization of the covariances. After expectation maximization they are tried in this order, as long as each increases
 * the mean log-likelihood of the held-out rows by at least `MIN_GAIN` nats. If a column is the sum of others, the increase is more than 1
 * nat.
 */
const WEAKER_STRENGTHS = [0.1, 0.01, 1e-3, 1e-4];
const MIN_GAIN = 0.1;
const MAX_ITERATIONS = 25;
/** The iteration ends when the mean log-likelihood increases by less than this, in nats. */
const TOLERANCE = 2e-3;
/** Numbers of components that are tried after a single one. */
const MORE_COMPONENTS = [2, 3, 5, 8, 12, 20, 32];
/** A mixture has no more components than a tenth of the rows, since smaller components would follow the noise of their rows. */
const MIN_ROWS_PER_COMPONENT = 10;

/**
 * Fits a `MixedGaussianMixture` to rows, and selects its number of components by the likelihood of held-out rows. The search ends when
 * two consecutive numbers do not improve the score. If a limit is reached, the best mixture so far is the result.
 */
export async function chooseMixedGaussianMixture(
  columns: ColumnHeadOptions[],
  data: DataRows,
  heldOut?: DataRows,
  limits: Limits = {},
): Promise<MixedGaussianMixture> {
  let best = new MixedGaussianMixture({ columns, components: 1 });
  const split = await prepareSplit(best, data, heldOut);
  let score = await fitToSplit(best, split, limits);
  let failures = 0;
  for (const components of MORE_COMPONENTS) {
    if (components * MIN_ROWS_PER_COMPONENT > split.training.data.rows || failures === 2) break;
    if (await limitReached(limits)) break;
    const model = new MixedGaussianMixture({ columns, components });
    const scoreOfModel = await fitToSplit(model, split, limits);
    failures++;
    if (!(scoreOfModel > score)) continue;
    [best, score, failures] = [model, scoreOfModel, 0];
  }
  return best;
}

/** Fits the parameters of a mixture by expectation maximization from the clusters of k-means. */
export async function fitMixedGaussianMixture(
  model: MixedGaussianMixture,
  data: DataRows,
  heldOut?: DataRows,
  limits: Limits = {},
): Promise<void> {
  await fitToSplit(model, await prepareSplit(model, data, heldOut), limits);
}

/** The rows of expectation maximization, and those that select its result. */
type SplitRows = Readonly<Record<"training" | "heldOut", PreparedRows>>;

async function prepareSplit(
  model: MixedGaussianMixture,
  data: DataRows,
  heldOut: DataRows | undefined,
): Promise<SplitRows> {
  const order = shuffledRows(data, new Random(0).split("mixed Gaussian mixture"));
  const share = Math.ceil(HELD_OUT_SHARE * Math.min(order.length, MAX_ROWS));
  const count = heldOut ? 0 : Math.min(order.length - 1, share);
  const M = Math.max(1, model.numericColumns.length);
  const limit = Math.ceil(Math.min(MAX_ROWS, MAX_PRODUCTS / M ** 2));
  return prepareRows(
    model,
    selectDataRows(data, order.subarray(count, count + limit)),
    heldOut ?? selectDataRows(data, order.subarray(0, count)),
  );
}

/**
 * Runs expectation maximization for each of `SHARED_ROWS`, and sets the parameters to those with the highest mean log-likelihood of the
 * held-out rows. Returns this log-likelihood.
 */
async function fitToSplit(
  model: MixedGaussianMixture,
  { training, heldOut }: SplitRows,
  limits: Limits,
): Promise<number> {
  const steps = new MixedGaussianSteps(model, training);
  const heldOutSteps = new MixedGaussianSteps(model, heldOut);
  const random = new Random(0).split("k-means");
  let responsibilities: Floats = await initialResponsibilities(training, model.components, random, limits);
  const copyOfParameters = () => parametersOf(model).map(({ numbers }) => numbers.slice());
  let best: { score: number; values: readonly Floats[] } | undefined;
  // With a shared covariance and with one component, the pooled covariance is used anyway, so additional rows would change nothing.
  for (const sharedRows of model.components > 1 && !model.widths ? SHARED_ROWS : [0]) {
    let previous = Number.NEGATIVE_INFINITY;
    for (let iteration = 0; iteration < MAX_ITERATIONS; iteration++) {
      steps.mStep(responsibilities, sharedRows);
      const expected = steps.eStep();
      responsibilities = expected.responsibilities;
      if (!(expected.logLikelihood > previous + TOLERANCE) || (await limitReached(limits))) break;
      previous = expected.logLikelihood;
    }
    let score = heldOutSteps.eStep().logLikelihood;
    let values = copyOfParameters();
    for (const strength of WEAKER_STRENGTHS) {
      steps.mStep(responsibilities, sharedRows, strength);
      const weakerScore = heldOutSteps.eStep().logLikelihood;
      if (!(weakerScore > score + MIN_GAIN)) break;
      [score, values] = [weakerScore, copyOfParameters()];
    }
    if (!best || score > best.score) best = { score, values };
    if (await limitReached(limits)) break;
  }
  parametersOf(model).forEach((parameter, i) => {
    parameter.value = best!.values[i];
  });
  return best!.score;
}

const parametersOf = ({ logWeights, means, covariances, widths, groups }: MixedGaussianMixture) => [
  logWeights,
  means,
  covariances,
  ...(widths ? [widths] : []),
  ...groups.map(({ logits }) => logits),
];
