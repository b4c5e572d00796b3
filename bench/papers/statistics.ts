import { mean } from "../../src/numerics/mean.ts";
import { auroc as aurocOf } from "../../src/tables/evaluate/auroc.ts";

export { mean };

/** Standard error of the mean: the sample deviation (division by N - 1) over the root of N; 0 for a single value. */
export function standardError(values: ArrayLike<number>): number {
  if (values.length < 2) return 0;
  const center = mean(values);
  const squares = Array.from(values, (value) => (value - center) ** 2);
  return Math.sqrt((mean(squares) * values.length) / (values.length - 1) / values.length);
}

/** Mean and standard error over folds or seeds, as text such as `-9.36 ± 0.05`. A single value has no error. */
export function withError(values: ArrayLike<number>, digits = 2): string {
  if (values.length === 0) return "";
  const error = values.length > 1 ? ` ± ${standardError(values).toFixed(digits)}` : "";
  return mean(values).toFixed(digits) + error;
}

/** Area under the ROC curve of rows with the label 1 (positive) or 0 (negative): see `auroc` of src/evaluate. */
export function auroc(scores: ArrayLike<number>, labels: ArrayLike<number>): number {
  const scoresOf = (label: number) => Float64Array.from(scores).filter((_, i) => labels[i] === label);
  return aurocOf(scoresOf(1), scoresOf(0)).value;
}
