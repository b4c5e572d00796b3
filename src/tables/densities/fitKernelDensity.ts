import type { DataRows } from "../../bijections/index.ts";
import type { Limits } from "../../check/index.ts";
import { featureColumn } from "../../dataset/index.ts";
import { selectDataRows, shuffledRows } from "../../distributions/index.ts";
import { concat } from "../../graph/index.ts";
import { Random } from "../../random/index.ts";
import { compile } from "../../runtime/index.ts";
import { ColumnFactors } from "./columnFactors.ts";
import { ColumnValues } from "./columnValues.ts";
import { isNumeric, sharesGap, valueCodes } from "./heads/columnHead.ts";
import { marginalParameters } from "./heads/marginalParameters.ts";
import type { KernelColumn } from "./kernelColumn.ts";
import type { KernelDensity } from "./kernelDensity.ts";
import { iterateKernels } from "./kernelIterations.ts";

const MAX_ITERATIONS = 30;
/** An iteration evaluates about this many kernels of single columns, which takes about 0.07 s. */
const KERNELS_PER_ITERATION = 2e6;
const MIN_ROWS_PER_ITERATION = 100;
/** See `KernelIterations`. */
const TOLERANCE = 1e-4;
/**
 * A step leaves out pairs of a row and a kernel whose posterior probability is below this number, to save time. It is lower if there are so
 * many kernels that these pairs could have more than the share `MAX_SHARE_LEFT_OUT` of the probability of the row. They are distant pairs, so
 * bandwidths would become too narrow without them.
 */
const MIN_POSTERIOR = 1e-5;
const MAX_SHARE_LEFT_OUT = 0.05;
/** The log-weight of centers without a row, and a lower bound of all log-weights. */
const UNUSED_LOG_WEIGHT = -80;
/**
 * After this many columns, products of their factors are divided by the largest product, so that they neither overflow nor
 * underflow in float64.
 */
const COLUMNS_PER_PRODUCT = 8;

/**
 * Sets the centers of the kernels to rows, and fits the bandwidths h, the factors a of the centers, lambda and the weights of the widths by
 * expectation maximization of the leave-one-out log-likelihood, in which the density at a row has no kernels around this row. In the M-step
 * a bandwidth is multiplied by 1 + mean(d log K / d log h), which is 1 at the maximum, and a factor a makes a step of Fisher scoring.
 */
export async function fitKernelDensity(
  model: KernelDensity,
  data: DataRows,
  limits: Limits = {},
): Promise<void> {
  const random = new Random(0).split("kernel density");
  const rows = selectDataRows(data, shuffledRows(data, random).subarray(0, model.centerLogits.sizes[0]));
  const centers = valuesOfCenters(model, rows);
  setCenters(model, data, { ...rows, values: centers });
  const N = rows.rows;
  const W = model.widthLogits.sizes[0];
  const weights = rows.weights ?? new Float64Array(N).fill(1);
  const columns = await columnFactors(model, { ...rows, weights }, centers);
  const widthWeights = new Float64Array(W).fill(1 / W);
  const kernelsPerRow = N * W * columns.length;
  const batchSize = Math.min(
    N,
    Math.max(MIN_ROWS_PER_ITERATION, Math.ceil(KERNELS_PER_ITERATION / kernelsPerRow)),
  );
  const iterations = { rows: N, batchSize, maxIterations: MAX_ITERATIONS, tolerance: TOLERANCE };
  await iterateKernels(iterations, limits, (batchRows, step) => {
    const { logLikelihood, total, widthTotals } = eStep(columns, weights, widthWeights, batchRows);
    if (!(total > 0)) return undefined;
    for (const column of columns) column.step(step, total);
    widthTotals.forEach((sum, w) => {
      widthWeights[w] += step * (sum / total - widthWeights[w]);
    });
    return logLikelihood;
  });
  model.widthLogits.value = Float32Array.from(widthWeights, (weight) =>
    Math.max(UNUSED_LOG_WEIGHT, Math.log(weight)),
  );
  columns.forEach(({ lambda, bandwidths, centerFactors, values }, d) => {
    const column = model.columns[d];
    column.marginalLogit.value = Float32Array.of(Math.log(lambda / (1 - lambda)));
    if (!column.smooth) return;
    column.smooth.logBandwidths.value = Float32Array.from(bandwidths, Math.log);
    column.smooth.centerFactors.value = Float32Array.from(centerFactors);
    column.smooth.centerMean.value = Float32Array.of(values.mean);
  });
}

/** Sets the centers and their weights from `rows`, and the marginal distributions from all rows, `data`. */
function setCenters(model: KernelDensity, data: DataRows, rows: DataRows): void {
  const { features: D } = data;
  const n = model.centerLogits.sizes[0];
  // If there are fewer rows than centers, the remaining centers are copies of the first row with a negligible weight.
  const rowOf = (center: number) => (center < rows.rows ? center : 0);
  model.centerLogits.value = Float32Array.from({ length: n }, (_, i) =>
    i < rows.rows ? Math.max(UNUSED_LOG_WEIGHT, Math.log(rows.weights?.[i] ?? 1)) : UNUSED_LOG_WEIGHT,
  );
  for (const [d, column] of model.columns.entries()) {
    // Centers are float64 numbers, since a center such as 38.3 has to be equal to the atom 38.3 in graphs of both precisions.
    const values = Float64Array.from({ length: n }, (_, i) => rows.values[rowOf(i) * D + d]);
    column.centers.value = values.map((value) => (Number.isNaN(value) ? 0 : value));
    if (column.missing) column.missing.value = values.map((value) => Number(Number.isNaN(value)));
    const codes = valueCodes(column.head, featureColumn(data.values, D, d));
    column.marginal.value = Float32Array.from(
      marginalParameters(column.head, codes, { weights: data.weights }),
    );
  }
}

async function columnFactors(
  model: KernelDensity,
  { values, weights }: DataRows & { weights: Float64Array },
  centers: Float64Array,
): Promise<ColumnFactors[]> {
  const D = model.features;
  const evaluate = compile(
    (x) => {
      const columns = x.transpose();
      const logSmooth = model.columns.map((column, d) => column.logSmooth(columns.slice(0, d, d + 1)));
      return {
        logMarginal: model.logMarginals(columns).transpose(),
        logSmooth: concat(logSmooth, 0).transpose(),
      };
    },
    [["N", D]],
    { precision: "float64" },
  );
  const { logMarginal, logSmooth } = await evaluate(centers).finally(() => evaluate.release());
  const columnOf = (numbers: ArrayLike<number>, d: number) => featureColumn(numbers, D, d);
  const widths = model.widthLogits.sizes[0];
  return model.columns.map((column, d) => {
    const ofColumn = new ColumnValues({
      head: column.head,
      values: columnOf(centers, d),
      weights,
      ...(sharesGap(column.head) && { isMissing: columnOf(values, d).map((x) => Number(Number.isNaN(x))) }),
      logMarginal: columnOf(logMarginal, d),
      logSmooth: columnOf(logSmooth, d),
      atomProbabilities: atomProbabilities(column),
    });
    return new ColumnFactors(ofColumn, widths);
  });
}

/**
 * The values [N, D] of rows, in which columns that share the gap of an earlier one have the values of other rows in place of their gaps.
 * The kernels of these columns are distributions of present values, so each center needs a value.
 */
function valuesOfCenters({ columns, features: D }: KernelDensity, { values }: DataRows): Float64Array {
  const filled = values.slice();
  for (const [d, { head, centers }] of columns.entries()) {
    if (!sharesGap(head)) continue;
    const ofColumn = values.filter((_, i) => i % D === d);
    const present = ofColumn.filter((value) => !Number.isNaN(value));
    const others = present.length > 0 ? present : centers.numbers;
    let next = 0;
    for (const [n, value] of ofColumn.entries())
      if (Number.isNaN(value)) filled[n * D + d] = others[next++ % others.length];
  }
  return filled;
}

/** The probabilities of the atoms of a numeric column under its marginal distribution. */
function atomProbabilities({ head, marginal }: KernelColumn): number[] {
  if (!isNumeric(head)) return [];
  const logits = Array.from(marginal.value).slice(0, -2 * head.components);
  const total = logits.reduce((sum, logit) => sum + Math.exp(logit), 0);
  return head.atoms.map((_, v) => Math.exp(logits[v]) / total);
}

/**
 * Adds the statistics of the rows to the columns. Returns their mean log-likelihood, relative to the marginal distributions, and the sums of
 * the posterior weights of each width and of all. Small posterior weights are left out.
 */
function eStep(
  columns: readonly ColumnFactors[],
  weights: Float64Array,
  widthWeights: Float64Array,
  rows: readonly number[],
): { logLikelihood: number; total: number; widthTotals: Float64Array } {
  const N = weights.length;
  const allWeights = weights.reduce((sum, weight) => sum + weight, 0);
  const products = new Float64Array(N * widthWeights.length);
  const widthTotals = new Float64Array(widthWeights.length);
  let logLikelihood = 0;
  let rowWeights = 0;
  for (const i of rows) {
    const weightOfOtherRows = allWeights - weights[i];
    widthWeights.forEach((widthWeight, w) => {
      for (let j = 0; j < N; j++)
        products[w * N + j] = j === i ? 0 : (widthWeight * weights[j]) / weightOfOtherRows;
    });
    let logScale = 0;
    columns.forEach((column, d) => {
      column.multiply(i, products);
      if (d % COLUMNS_PER_PRODUCT !== COLUMNS_PER_PRODUCT - 1) return;
      let largest = 0;
      for (let k = 0; k < products.length; k++) largest = Math.max(largest, products[k]);
      for (let k = 0; k < products.length; k++) products[k] /= largest;
      logScale += Math.log(largest);
    });
    let sum = 0;
    for (let k = 0; k < products.length; k++) sum += products[k];
    if (!(sum > 0) || !Number.isFinite(sum)) continue;
    logLikelihood += weights[i] * (Math.log(sum) + logScale);
    rowWeights += weights[i];
    const minPosterior = Math.min(MIN_POSTERIOR, MAX_SHARE_LEFT_OUT / products.length);
    for (let k = 0; k < products.length; k++) {
      const posterior = products[k] / sum;
      products[k] = posterior < minPosterior ? 0 : weights[i] * posterior;
      widthTotals[Math.floor(k / N)] += products[k];
    }
    for (const column of columns) column.addRow(i, products);
  }
  const total = widthTotals.reduce((sum, ofWidth) => sum + ofWidth, 0);
  return { logLikelihood: logLikelihood / rowWeights, total, widthTotals };
}
