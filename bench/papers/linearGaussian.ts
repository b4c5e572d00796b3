import { gaussianLogDensity } from "./gaussian.ts";
import type { Conditioned } from "./models.ts";
import { countRows, type Rows } from "./rows.ts";

/** Columns may follow from one another, as the areas of a building do. */
const RIDGE = 1e-9;

/**
 * Log-density of each test row under y ~ N(a + B x, S) with the a, B, S of maximum likelihood (least squares, and the
 * residuals' covariance): what is left of the joint Gaussian over (x, y) without that over x.
 */
export function linearGaussian(training: Required<Conditioned>, test: Required<Conditioned>): Float64Array {
  const joint = gaussianLogDensity(beside(training), beside(test), RIDGE);
  const inputs = gaussianLogDensity(training.context, test.context, RIDGE);
  return joint.map((value, i) => value - inputs[i]);
}

function beside({ rows, context }: Required<Conditioned>): Rows {
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
