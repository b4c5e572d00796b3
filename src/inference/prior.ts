import { logAbsDeterminant } from "../bijections/index.ts";
import { brief, PushforwardError } from "../check/index.ts";
import { HALF_LOG_2_PI } from "../distributions/index.ts";
import { constant, normalTailQuantile, normalTails, scalar, sizeOf, type Tensor } from "../graph/index.ts";
import { inverseMatrix } from "../numerics/index.ts";
import {
  type Bound,
  boundValue,
  type Constraint,
  checkBounds,
  type EarlierValues,
  elements,
} from "./constraint.ts";

/**
 * The prior of a parameter of a simulator, as a pushforward: the constraint that maps independent standard normal coordinates to values
 * with this distribution. A flow over the coordinates then begins at the prior, and its draws never leave the support.
 */
export interface Prior<Value extends number | Float64Array = number | Float64Array> extends Constraint {
  /** The value that a simulator gets: a number, or the numbers of an array in row-major order. */
  readonly toValue: (numbers: Float64Array) => Value;
  /** The inverse of `constrain`: values [N, ...shape] -> coordinates u [N, size]. They are not finite outside the support of the prior. */
  readonly coordinates: (value: Tensor, earlier: EarlierValues) => Tensor;
}

const oneNumber = (numbers: Float64Array): number => numbers[0];

/** The prior of a number with the quantile function Q, from the map u -> Q(Phi(u)) with its log-derivative, and from its inverse. */
const numberPrior = (
  map: NonNullable<Constraint["elementwise"]>,
  inverse: (x: Tensor, earlier: EarlierValues) => Tensor,
): Prior<number> => ({
  ...elements([], map),
  toValue: oneNumber,
  coordinates: (value, earlier) => {
    // The arguments of the inverse are rows of elements, as those of the map are.
    const size = sizeOf(value.shape.slice(1));
    return inverse(value.reshape(["N", size]), earlier);
  },
});

/** Normal distribution: x = mean + sd u. Mean and sd may depend on parameters that are declared before. */
function normal<E extends EarlierValues>(mean: Bound<E>, sd: Bound<E>): Prior<number> {
  checkNumber("mean", mean);
  checkNumber("sd", sd, 0);
  return numberPrior(
    (u, earlier) => {
      const scale = tensorOf(sd, earlier);
      return { value: u.mul(scale).add(tensorOf(mean, earlier)), logDet: rowSum(u, scale.log()) };
    },
    standardized(mean, sd),
  );
}

/** Log-normal distribution: x = exp(mean + sd u). */
function logNormal<E extends EarlierValues>(mean: Bound<E>, sd: Bound<E>): Prior<number> {
  checkNumber("mean", mean);
  checkNumber("sd", sd, 0);
  return numberPrior(
    (u, earlier) => {
      const scale = tensorOf(sd, earlier);
      const log = u.mul(scale).add(tensorOf(mean, earlier));
      return { value: log.exp(), logDet: rowSum(u, log.add(scale.log())) };
    },
    (x, earlier) => standardized(mean, sd)(x.log(), earlier),
  );
}

/** Uniform distribution on (low, high): x = low + (high - low) Phi(u). */
function uniform<E extends EarlierValues>(low: Bound<E>, high: Bound<E>): Prior<number> {
  checkBounds(low, high);
  return numberPrior(
    (u, earlier) => {
      const bottom = tensorOf(low, earlier);
      const width = tensorOf(high, earlier).sub(bottom);
      const probability = u.mul(Math.SQRT1_2).erf().add(1).mul(0.5);
      return { value: probability.mul(width).add(bottom), logDet: rowSum(u, logPhi(u).add(width.log())) };
    },
    (x, earlier) => {
      const [bottom, top] = [tensorOf(low, earlier), tensorOf(high, earlier)];
      const width = top.sub(bottom);
      return quantileOfLogTails(x.sub(bottom).div(width).log(), top.sub(x).div(width).log());
    },
  );
}

/** Log-uniform distribution on (low, high), which are positive: x = low (high / low)^Phi(u). */
function logUniform(low: number, high: number): Prior<number> {
  checkNumber("low", low, 0);
  checkBounds(low, high);
  const { elementwise, coordinates } = uniform(Math.log(low), Math.log(high));
  return numberPrior(
    (u, earlier) => {
      const { value, logDet } = elementwise!(u, earlier);
      return { value: value.exp(), logDet: logDet.add(value.sum(-1)) };
    },
    (x, earlier) => coordinates(x.log(), earlier),
  );
}

/** Exponential distribution: x = -log(1 - Phi(u)) / rate. */
function exponential<E extends EarlierValues>(rate: Bound<E>): Prior<number> {
  checkNumber("rate", rate, 0);
  return numberPrior(
    (u, earlier) => {
      const { logUpper, upperHazard } = normalTails(u);
      const lambda = tensorOf(rate, earlier);
      return { value: logUpper.neg().div(lambda), logDet: rowSum(u, upperHazard.log().sub(lambda.log())) };
    },
    (x, earlier) => {
      const logUpper = x.mul(tensorOf(rate, earlier)).neg();
      return quantileOfLogTails(logUpper.expm1().neg().log(), logUpper);
    },
  );
}

/** Half-normal distribution, that of |y| for a normal y with mean 0: x = sd Phi^-1((1 + Phi(u)) / 2). */
function halfNormal<E extends EarlierValues>(sd: Bound<E>): Prior<number> {
  checkNumber("sd", sd, 0);
  return numberPrior(
    (u, earlier) => {
      const scale = tensorOf(sd, earlier);
      // x / sd has the upper tail 2 (1 - Phi(x / sd)) = 1 - Phi(u).
      const { logUpper, upperHazard } = normalTails(u);
      const { value, hazard } = normalTailQuantile(logUpper.sub(Math.LN2));
      return {
        value: value.mul(scale),
        logDet: rowSum(u, upperHazard.log().sub(hazard.log()).add(scale.log())),
      };
    },
    (x, earlier) => {
      const z = x.div(tensorOf(sd, earlier));
      return quantileOfLogTails(z.mul(Math.SQRT1_2).erf().log(), normalTails(z).logUpper.add(Math.LN2));
    },
  );
}

/**
 * Normal distribution of a vector: x = mean + F u, with the covariance F F^T. The factor F is a list of its rows.
 *
 * @throws SHAPE when F is not square or the mean has another size; ARGUMENT when a mean is not finite or F is not invertible.
 */
function multivariateNormal(
  mean: readonly number[],
  factor: readonly (readonly number[])[],
): Prior<Float64Array> {
  const size = mean.length;
  if (size === 0 || factor.length !== size || factor.some((row) => row.length !== size)) {
    throw new PushforwardError("SHAPE", "the mean and the factor of a normal prior do not match", {
      expected: "n means, and n rows of n numbers",
      received: `${size} means, and rows of ${factor.map((row) => row.length).join(", ") || "nothing"}`,
    });
  }
  for (const number of mean) checkNumber("mean", number);
  const numbers = factor.flat();
  const matrix = constant(numbers, [size, size]);
  const logDet = logAbsDeterminant(numbers, size);
  if (!Number.isFinite(logDet)) {
    throw new PushforwardError("ARGUMENT", "the factor of a normal prior is not invertible");
  }
  const inverse = constant(inverseMatrix(numbers, size), [size, size]);
  return {
    shape: [size],
    size,
    constrain: (u) => ({
      value: u.matmul(matrix, { transposeB: true }).add(constant(mean, [size])),
      logDet: scalar(logDet),
    }),
    toValue: (numbers) => numbers,
    coordinates: (value) => value.sub(constant(mean, [size])).matmul(inverse, { transposeB: true }),
  };
}

/**
 * Priors of the parameters of a simulator. `vector` and `matrix` repeat them.
 *
 * @throws ARGUMENT when an argument is not a finite number or a function, when a scale or rate is not positive, or when low >= high.
 */
export const prior = {
  exponential,
  halfNormal,
  logNormal,
  logUniform,
  multivariateNormal,
  normal,
  uniform,
};

/** The inverse of x = mean + sd u. */
const standardized =
  (mean: Bound<never>, sd: Bound<never>) =>
  (x: Tensor, earlier: EarlierValues): Tensor =>
    x.sub(tensorOf(mean, earlier)).div(tensorOf(sd, earlier));

/**
 * The standard normal number with the probabilities exp(logLower) below it and exp(logUpper) above it. It is computed from the smaller of
 * the two, because the larger one may round to 1.
 */
function quantileOfLogTails(logLower: Tensor, logUpper: Tensor): Tensor {
  const isLower = logLower.less(logUpper);
  const { value } = normalTailQuantile(isLower.where(logLower, logUpper));
  return isLower.where(value.neg(), value);
}

/** The log-density of a standard normal number. */
const logPhi = (u: Tensor): Tensor => u.square().mul(-0.5).sub(HALF_LOG_2_PI);

/** A bound as a tensor that is broadcast against u [N, K]. */
const tensorOf = (bound: Bound<never>, earlier: EarlierValues): Tensor =>
  scalar(0).add(boundValue(bound as Bound, earlier));

/** Log-derivatives [N, K], [K] or a scalar of the elements of u, summed over each row: [N]. */
const rowSum = (u: Tensor, logDerivative: Tensor): Tensor => u.mul(0).add(logDerivative).sum(-1);

/** Throws `ARGUMENT` unless an argument is a finite number above `min`, or a function. */
function checkNumber(name: string, argument: unknown, min = Number.NEGATIVE_INFINITY): void {
  if (typeof argument === "function" || (Number.isFinite(argument) && (argument as number) > min)) return;
  throw new PushforwardError("ARGUMENT", `the ${name} of a prior is not valid`, {
    expected: `a ${min === 0 ? "positive" : "finite"} number, or a function of earlier parameters`,
    received: brief(argument),
  });
}
