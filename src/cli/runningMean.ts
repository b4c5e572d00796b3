/** Running mean and standard error of numbers, which may be -Infinity (Welford 1962). */
export class RunningMean {
  count = 0;
  mean = 0;
  private squares = 0;

  add(value: number): void {
    this.count++;
    // A mean with -Infinity stays -Infinity.
    if (this.mean === Number.NEGATIVE_INFINITY) return;
    const deviation = value - this.mean;
    this.mean += deviation / this.count;
    this.squares += deviation * (value - this.mean);
  }

  /** Of the mean; NaN for fewer than two numbers, and where one is -Infinity. */
  get standardError(): number {
    return Math.sqrt(this.squares / (this.count - 1) / this.count);
  }
}
