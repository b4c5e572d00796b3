import { HALF_LOG_2_PI, isMissing } from "../../distributions/index.ts";
import { logGamma, type Tensor } from "../../graph/index.ts";
import { data } from "../data.ts";
import { type Argument, unlessOutside } from "./operands.ts";

/** Normal distribution: -((x - mean) / sd)^2 / 2 - log sd - log(2 pi) / 2. */
export function normal(x: Argument, mean: Argument, sd: Argument): Tensor {
  const scale = data(sd);
  const z = data(x).sub(data(mean)).div(scale);
  return z.square().mul(-0.5).sub(scale.log()).sub(HALF_LOG_2_PI);
}

/**
 * Student t distribution with `df` degrees of freedom: log Gamma((df + 1) / 2) - log Gamma(df / 2) - log(pi df) / 2 - log scale
 * - (df + 1) / 2 log(1 + z^2 / df), where z = (x - location) / scale.
 */
export function studentT(x: Argument, df: Argument, location: Argument, scale: Argument): Tensor {
  const [nu, s] = [data(df), data(scale)];
  const z = data(x).sub(data(location)).div(s);
  const half = nu.add(1).mul(0.5);
  const normalizer = logGamma(half)
    .sub(logGamma(nu.mul(0.5)))
    .sub(nu.mul(Math.PI).log().mul(0.5));
  return normalizer.sub(s.log()).sub(half.mul(z.square().div(nu).log1p()));
}

/** Cauchy distribution: -log(pi scale (1 + ((x - location) / scale)^2)). */
export function cauchy(x: Argument, location: Argument, scale: Argument): Tensor {
  const s = data(scale);
  const z = data(x).sub(data(location)).div(s);
  return z.square().log1p().add(s.log()).add(Math.log(Math.PI)).neg();
}

/** Half-normal distribution of x >= 0, that of |y| for a normal y with mean 0: log 2 - (x / sd)^2 / 2 - log sd - log(2 pi) / 2. */
export function halfNormal(x: Argument, sd: Argument): Tensor {
  return nonNegative(x, (x) => normal(x, 0, sd).add(Math.LN2));
}

/** Half-Cauchy distribution of x >= 0, that of |y| for a Cauchy y with location 0: log 2 - log(pi scale (1 + (x / scale)^2)). */
export function halfCauchy(x: Argument, scale: Argument): Tensor {
  return nonNegative(x, (x) => cauchy(x, 0, scale).add(Math.LN2));
}

/**
 * Log-normal distribution of x > 0, whose logarithm is normal with this mean and standard deviation:
 * -((log x - mean) / sd)^2 / 2 - log sd - log(2 pi) / 2 - log x.
 */
export function logNormal(x: Argument, mean: Argument, sd: Argument): Tensor {
  return aboveZero(x, (x) => {
    const log = x.log();
    return normal(log, mean, sd).sub(log);
  });
}

/** Exponential distribution of x >= 0: log rate - rate x. */
export function exponential(x: Argument, rate: Argument): Tensor {
  const lambda = data(rate);
  return nonNegative(x, (x) => lambda.log().sub(lambda.mul(x)));
}

/** Gamma distribution with mean shape / rate: shape log rate - log Gamma(shape) + (shape - 1) log x - rate x. */
export function gamma(x: Argument, shape: Argument, rate: Argument): Tensor {
  const [a, b] = [data(shape), data(rate)];
  const normalizer = a.mul(b.log()).sub(logGamma(a));
  return aboveZero(x, (x) => normalizer.add(a.sub(1).mul(x.log())).sub(b.mul(x)));
}

/** Inverse gamma distribution: shape log scale - log Gamma(shape) - (shape + 1) log x - scale / x. */
export function inverseGamma(x: Argument, shape: Argument, scale: Argument): Tensor {
  const [a, b] = [data(shape), data(scale)];
  const normalizer = a.mul(b.log()).sub(logGamma(a));
  return aboveZero(x, (x) => normalizer.sub(a.add(1).mul(x.log())).sub(b.div(x)));
}

/** Beta distribution on (0, 1): (a - 1) log x + (b - 1) log(1 - x) - log B(a, b). */
export function beta(x: Argument, a: Argument, b: Argument): Tensor {
  const [alpha, betaShape, value] = [data(a), data(b), data(x)];
  const normalizer = logGamma(alpha.add(betaShape)).sub(logGamma(alpha)).sub(logGamma(betaShape));
  return unlessOutside(value, value.lessEqual(0).or(value.greaterEqual(1)), 0.5, (x) =>
    normalizer.add(alpha.sub(1).mul(x.log())).add(betaShape.sub(1).mul(x.neg().log1p())),
  );
}

/** Uniform distribution on [low, high]: -log(high - low). */
export function uniform(x: Argument, low: Argument, high: Argument): Tensor {
  const [value, bottom, top] = [data(x), data(low), data(high)];
  const inside = value.greaterEqual(bottom).and(value.lessEqual(top));
  const logProb = inside.where(top.sub(bottom).log().neg(), Number.NEGATIVE_INFINITY);
  return isMissing(value).where(Number.NaN, logProb);
}

function nonNegative(x: Argument, f: (x: Tensor) => Tensor): Tensor {
  const value = data(x);
  return unlessOutside(value, value.less(0), 1, f);
}

function aboveZero(x: Argument, f: (x: Tensor) => Tensor): Tensor {
  const value = data(x);
  return unlessOutside(value, value.lessEqual(0), 1, f);
}
