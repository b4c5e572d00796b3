import { gaussianLogDensity } from "./gaussian.ts";
import type { ConditionedRows } from "./models.ts";
import { countRows, type Rows } from "./rows.ts";

/** Keeps the covariance regular if columns are linearly dependent, such as the areas of a building. */
const RIDGE = 1e-9;

/**
 * Log-density in nats of each test row under y ~ N(a + B x, S) with a, B and S of maximum likelihood (least squares and the
 * covariance of the residuals), computed as log p(x, y) - log p(x) of the maximum-likelihood Gaussians.
 */
export function linearGaussian(
  training: Required<ConditionedRows>,
  test: Required<ConditionedRows>,
): Float64Array {
  const joint = gaussianLogDensity(joinColumns(training), joinColumns(test), RIDGE);
  const inputs = gaussianLogDensity(training.context, test.context, RIDGE);
  return joint.map((value, i) => value - inputs[i]);
}

function joinColumns({ rows, context }: Required<ConditionedRows>): Rows {
  const features = context.features + rows.features;
  const values = new Float64Array(countRows(rows) * features);
  for (let i = 0; i < countRows(rows); i++) {
    values.set(context.values.subarray(i * context.features, (i + 1) * context.features), i * features);
    values.set(
      rows.values.subarray(i * rows.features, (i + 1) * rows.features),
      i * features + context.features,
    );
  }
  return { features, values };
}
