export const mean = (values: ArrayLike<number>): number => {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i];
  return sum / values.length;
};

/** Deviation of the values over the root of their number; 0 of a single one. */
export function standardError(values: ArrayLike<number>): number {
  if (values.length < 2) return 0;
  const center = mean(values);
  const squares = Array.from(values, (value) => (value - center) ** 2);
  return Math.sqrt((mean(squares) * values.length) / (values.length - 1) / values.length);
}

/** `-9.36 ± 0.05`, of values of folds or seeds. */
export const withError = (values: ArrayLike<number>, digits = 2): string =>
  values.length === 0 ? "" : `${mean(values).toFixed(digits)} ± ${standardError(values).toFixed(digits)}`;

/**
 * The share of pairs of a positive (label 1) and a negative (0) whose scores are in order, ties counting half: the area
 * under the curve of true over false positives.
 */
export function auroc(scores: ArrayLike<number>, labels: ArrayLike<number>): number {
  const order = Array.from({ length: scores.length }, (_, i) => i).sort((a, b) => scores[a] - scores[b]);
  let [positives, ranks] = [0, 0];
  for (let start = 0; start < order.length; ) {
    let end = start + 1;
    while (end < order.length && scores[order[end]] === scores[order[start]]) end++;
    const tied = order.slice(start, end).filter((i) => labels[i] === 1).length;
    positives += tied;
    // Ranks from 1; tied scores share the middle of theirs.
    ranks += (tied * (start + 1 + end)) / 2;
    start = end;
  }
  const negatives = order.length - positives;
  return (ranks - (positives * (positives + 1)) / 2) / (positives * negatives);
}
