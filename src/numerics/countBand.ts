/** Options of `countBand`. */
interface CountBandOptions {
  readonly rows: number;
  /** The number of draws if all rows are ranked among the same ones; undefined if each row has its own, or the distribution is exact. */
  readonly draws: number | undefined;
  readonly bins: number;
  readonly probability: number;
}

/**
 * Of `rows` uniform numbers, the count in one of `bins` equal bins lies in this central interval with a probability of at least
 * `probability`: its limits are quantiles of the binomial distribution. If the numbers are ranks among M draws, a bin of width b has the same
 * probability p for all rows. The M draws divide (0, 1) into M + 1 intervals with uniform spacings, so p ~ Beta((M + 1) b, (M + 1) (1 - b)), and
 * the count has a beta-binomial distribution.
 */
export function countBand({ rows, draws, bins, probability }: CountBandOptions): [low: number, high: number] {
  const width = 1 / bins;
  const intervals = draws === undefined ? 1 : draws + 1;
  const [alpha, beta] = [intervals * width, intervals * (1 - width)];
  /** P(k + 1) / P(k). */
  const ratio = (k: number) =>
    ((rows - k) / (k + 1)) *
    (draws === undefined ? width / (1 - width) : (alpha + k) / (beta + rows - k - 1));
  // Logarithms of unnormalized probabilities, since the probability of 0 rows, where the recursion starts, may underflow.
  const logs = new Float64Array(rows + 1);
  for (let k = 0; k < rows; k++) logs[k + 1] = logs[k] + Math.log(ratio(k));
  const highest = logs.reduce((a, b) => Math.max(a, b));
  const masses = logs.map((log) => Math.exp(log - highest));
  const total = masses.reduce((sum, mass) => sum + mass, 0);
  const quantile = (q: number) => {
    let sum = 0;
    for (let k = 0; k <= rows; k++) {
      sum += masses[k] / total;
      if (sum >= q) return k;
    }
    return rows;
  };
  return [quantile((1 - probability) / 2), quantile((1 + probability) / 2)];
}
