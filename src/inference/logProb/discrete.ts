import { PushforwardError } from "../../check/index.ts";
import { constant, formatShape, logGamma, type Tensor } from "../../graph/index.ts";
import { data } from "../data.ts";
import { type Argument, countsOf, onCounts } from "./operands.ts";

/** Bernoulli distribution of k = 0 or 1 with the log-odds `logit`: k logit - log(1 + exp(logit)). */
export function bernoulliLogit(k: Argument, logit: Argument): Tensor {
  const eta = data(logit);
  return onCounts(countsOf(k, 1), (k) => k.mul(eta).sub(eta.softplus()), 1);
}

/** Binomial distribution of k out of n with the log-odds `logit`: log C(n, k) + k logit - n log(1 + exp(logit)). */
export function binomialLogit(k: Argument, n: Argument, logit: Argument): Tensor {
  const [successes, trials, eta] = [countsOf(k), countsOf(n), data(logit)];
  const ofSuccesses = (k: Tensor) => {
    const logChoices = logFactorial(trials)
      .sub(logFactorial(k))
      .sub(logFactorial(trials.sub(k)));
    return logChoices.add(k.mul(eta)).sub(trials.mul(eta.softplus()));
  };
  return onCounts(successes, ofSuccesses, trials);
}

/** Poisson distribution of k with the rate exp(logRate): k logRate - exp(logRate) - log k!. */
export function poissonLog(k: Argument, logRate: Argument): Tensor {
  const eta = data(logRate);
  return onCounts(countsOf(k), (k) => k.mul(eta).sub(eta.exp()).sub(logFactorial(k)));
}

/**
 * Negative binomial distribution of k with this mean and the variance mean + mean^2 / dispersion, where d is the dispersion:
 * log Gamma(k + d) - log Gamma(d) - log k! + k log(mean / (mean + d)) + d log(d / (mean + d)).
 */
export function negativeBinomial(k: Argument, mean: Argument, dispersion: Argument): Tensor {
  const [mu, phi] = [data(mean), data(dispersion)];
  const logTotal = mu.add(phi).log();
  return onCounts(countsOf(k), (k) =>
    logGamma(k.add(phi))
      .sub(logGamma(phi))
      .sub(logFactorial(k))
      .add(k.mul(mu.log().sub(logTotal)))
      .add(phi.mul(phi.log().sub(logTotal))),
  );
}

/**
 * Categorical distribution with log-odds: log softmax(logits)_k for categories k from 0 to K - 1, which are data. For n
 * categories, `logits` are [N, K] or [K], the same for all, or [N, n, K]; the result is [N, n].
 *
 * @throws DATA when a category is not an integer from 0 to K - 1; SHAPE when the number of categories does not match the logits.
 */
export function categoricalLogit(k: number | ArrayLike<number>, logits: Argument): Tensor {
  const eta = data(logits);
  const count = eta.shape.at(-1) as number;
  const categories = categoriesOf(k, count);
  const logProb = eta.logSoftmax(-1);
  if (typeof k === "number") return logProb.gather(-1, categories).sum(-1);
  if (eta.rank === 1 || (eta.rank === 2 && eta.shape[0] === "N")) return logProb.gather(-1, categories);
  if (eta.shape.at(-2) !== categories.length) {
    throw new PushforwardError("SHAPE", "the categories do not match the logits", {
      expected: `${eta.shape.at(-2)} categories for ${formatShape(eta.shape)}`,
      received: `${categories.length}`,
    });
  }
  const oneHot = categories.flatMap((c) => Array.from({ length: count }, (_, i) => (i === c ? 1 : 0)));
  return constant(oneHot, [categories.length, count]).greater(0.5).where(logProb, 0).sum(-1);
}

/**
 * Ordinal logistic regression (McCullagh 1980) of categories k from 0 to K - 1, which are data:
 *
 *     P(k) = F(c_k+1 - eta) - F(c_k - eta),
 *
 * where F is the logistic function, c_1 < ... < c_K-1 are `cutpoints` [N, K - 1], such as a parameter `ordered(K - 1)`, c_0 is -infinity
 * and c_K infinity. For n categories, `eta` is [N, n] or broadcast to it, and the result is [N, n].
 *
 * @throws DATA when a category is not an integer from 0 to K - 1.
 */
export function orderedLogit(k: number | ArrayLike<number>, eta: Argument, cutpoints: Argument): Tensor {
  const points = data(cutpoints);
  const last = points.shape.at(-1) as number;
  const categories = categoriesOf(k, last + 1);
  const cutpointsAt = (index: (c: number) => number) => points.gather(-1, categories.map(index));
  const low = cutpointsAt((c) => Math.max(c - 1, 0));
  const high = cutpointsAt((c) => Math.min(c, last - 1));
  const where = (condition: (c: number) => boolean) =>
    constant(
      categories.map((c) => (condition(c) ? 1 : 0)),
      [categories.length],
    ).greater(0.5);
  const isInner = where((c) => c > 0 && c < last);
  const location = data(eta);
  // F(b) - F(a) = F(b) F(-a) (1 - exp(a - b)), in which the factors of an infinite a or b are 1.
  const logOfHigh = where((c) => c === last).where(0, location.sub(high).softplus().neg());
  const logOfLow = where((c) => c === 0).where(0, low.sub(location).softplus().neg());
  const logWidth = isInner.where(isInner.where(low.sub(high), -1).expm1().neg().log(), 0);
  const logProb = logOfHigh.add(logOfLow).add(logWidth);
  return typeof k === "number" ? logProb.sum(-1) : logProb;
}

/** The categories as an array. Throws `DATA` unless they are integers from 0 to count - 1. */
function categoriesOf(k: number | ArrayLike<number>, count: number): number[] {
  const categories = typeof k === "number" ? [k] : Array.from(k);
  const invalid = categories.find((c) => !(Number.isInteger(c) && c >= 0 && c < count));
  if (invalid === undefined) return categories;
  throw new PushforwardError("DATA", "a category is not valid", {
    expected: `integers from 0 to ${count - 1}`,
    received: `${invalid}`,
    hint: "Categories are counted from 0.",
  });
}

const logFactorial = (k: Tensor): Tensor => logGamma(k.add(1));
