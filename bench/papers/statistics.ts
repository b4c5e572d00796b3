export const mean = (values: ArrayLike<number>): number => {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i];
  return sum / values.length;
};

/** Standard error of the mean: the sample deviation (division by N - 1) over the root of N; 0 for a single value. */
export function standardError(values: ArrayLike<number>): number {
  if (values.length < 2) return 0;
  const center = mean(values);
  const squares = Array.from(values, (value) => (value - center) ** 2);
  return Math.sqrt((mean(squares) * values.length) / (values.length - 1) / values.length);
}

/** Mean and standard error over folds or seeds, as text such as `-9.36 ± 0.05`. */
export const withError = (values: ArrayLike<number>, digits = 2): string =>
  values.length === 0 ? "" : `${mean(values).toFixed(digits)} ± ${standardError(values).toFixed(digits)}`;

/**
 * Area under the ROC curve: the share of pairs of a positive (label 1) and a negative row (label 0) in which the positive row
 * has the higher score. Ties count half.
 */
export function auroc(scores: ArrayLike<number>, labels: ArrayLike<number>): number {
  const order = Array.from({ length: scores.length }, (_, i) => i).sort((a, b) => scores[a] - scores[b]);
  let [positives, ranks] = [0, 0];
  for (let start = 0; start < order.length; ) {
    let end = start + 1;
    while (end < order.length && scores[order[end]] === scores[order[start]]) end++;
    const tied = order.slice(start, end).filter((i) => labels[i] === 1).length;
    positives += tied;
    // Ranks start at 1, and tied scores have the mean of their ranks.
    ranks += (tied * (start + 1 + end)) / 2;
    start = end;
  }
  const negatives = order.length - positives;
  return (ranks - (positives * (positives + 1)) / 2) / (positives * negatives);
}
