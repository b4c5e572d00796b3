/** A mean of numbers with its standard error. */
export interface MeanEstimate {
  /** How many numbers there are, those of weight 0 not counted. */
  readonly count: number;
  readonly mean: number;
  /** The standard error of the mean; NaN for fewer than two numbers, and if one of them is infinite. */
  readonly standardError: number;
}

/**
 * Running mean and standard error of numbers, which may be infinite (Welford, 1962; West, 1979, for weights). The standard
 * error of a weighted mean counts the effective sample size (Σ w)² / Σ w² (Kish, 1965).
 */
export class RunningMean implements MeanEstimate {
  count = 0;
  mean = 0;
  private squares = 0;
  private weights = 0;
  private squaredWeights = 0;

  /** The mean of all numbers of an array. */
  static of(values: ArrayLike<number>, weights?: ArrayLike<number>): RunningMean {
    const mean = new RunningMean();
    for (let i = 0; i < values.length; i++) mean.add(values[i]!, weights?.[i]);
    return mean;
  }

  /** Adds a value. */
  add(value: number, weight = 1): void {
    if (weight === 0) return;
    this.count++;
    this.weights += weight;
    this.squaredWeights += weight * weight;
    // An infinite mean stays infinite, unless a number is infinite with the other sign: then it is NaN.
    if (!Number.isFinite(this.mean)) {
      this.mean += value;
      return;
    }
    const deviation = value - this.mean;
    this.mean += (weight * deviation) / this.weights;
    this.squares += weight * deviation * (value - this.mean);
  }

  get standardError(): number {
    const effectiveCount = this.weights ** 2 / this.squaredWeights;
    return Math.sqrt(this.squares / (effectiveCount - 1) / this.weights);
  }
}

/** The mean of numbers with its standard error, as plain data, which JSON keeps. */
export function estimate(
  values: ArrayLike<number>,
  { weights }: { readonly weights?: ArrayLike<number> } = {},
): MeanEstimate {
  const { count, mean, standardError } = RunningMean.of(values, weights);
  return { count, mean, standardError };
}
