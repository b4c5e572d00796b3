import { Autoregressive, type DataRows, identityOrder } from "../../bijections/index.ts";
import type { MaskedMLP } from "../../nn/index.ts";
import { inverseSoftClamp, LOG_BOUND } from "../../numerics/index.ts";
import { Random } from "../../random/index.ts";

/** The smallest s_i, for targets of unit scale. If the predictors determine a target, its residuals are 0, and so would be s_i. */
const MIN_SD = 0.01;

/**
 * The autoregressive affine layer without hidden units that starts as the linear regression of each feature of the targets on the features
 * before it and on the predictors c: z_i = (x_i - a_i - B_i (x_1 ... x_i-1, c)) / s_i, where s_i is the standard deviation of the residuals.
 * For a linear model with normal noise, this is the exact posterior. The coefficients B_i are those of ridge regression with penalty
 * |B_i|^2, for targets and predictors of unit scale.
 */
export function linearRegression(
  { rows, features, values }: DataRows,
  { features: contextFeatures, values: context }: DataRows,
): Autoregressive {
  const order = identityOrder(features);
  const layer = new Autoregressive(
    { order, context: contextFeatures, network: { hidden: [] } },
    new Random(0),
  );
  const { weight, bias } = (layer.network as MaskedMLP).layers[0].blocks[0];
  // The outputs of the network are the shifts of all features, and then their log-scales.
  const outputs = 2 * features;
  for (let i = 0; i < features; i++) {
    const inputs = [...order.slice(0, i), ...Array.from({ length: contextFeatures }, (_, k) => features + k)];
    const predictor = (row: number, input: number) =>
      input < features ? values[row * features + input] : context[row * contextFeatures + input - features];
    const { intercept, coefficients, sd } = ridge(
      rows,
      inputs.length,
      (row, k) => predictor(row, inputs[k]),
      (row) => values[row * features + i],
    );
    const scale = Math.max(sd, MIN_SD);
    inputs.forEach((input, k) => {
      weight.value[input * outputs + i] = -coefficients[k] / scale;
    });
    bias.value[i] = -intercept / scale;
    // The affine transform clamps the log-scale.
    bias.value[features + i] = inverseSoftClamp(-Math.log(scale), LOG_BOUND);
  }
  return layer;
}

/**
 * Ridge regression of y on K predictors: minimizes the sum of squared residuals plus the squares of the coefficients, without that of the
 * intercept. `sd` is the standard deviation of the residuals.
 */
function ridge(
  rows: number,
  K: number,
  x: (row: number, k: number) => number,
  y: (row: number) => number,
): { intercept: number; coefficients: Float64Array; sd: number } {
  const size = K + 1;
  const row = new Float64Array(size + 1);
  // The normal equations [X^T X + I | X^T y], with a column of ones first, whose coefficient is not penalized.
  const system = Array.from({ length: size }, (_, i) => {
    const equation = new Float64Array(size + 1);
    equation[i] = i > 0 ? 1 : 0;
    return equation;
  });
  const read = (n: number) => {
    row[0] = 1;
    for (let k = 0; k < K; k++) row[k + 1] = x(n, k);
    row[size] = y(n);
  };
  for (let n = 0; n < rows; n++) {
    read(n);
    for (let i = 0; i < size; i++) for (let j = i; j <= size; j++) system[i][j] += row[i] * row[j];
  }
  for (let i = 0; i < size; i++) for (let j = 0; j < i; j++) system[i][j] = system[j][i];
  const solution = solve(system);
  let squares = 0;
  for (let n = 0; n < rows; n++) {
    read(n);
    let residual = row[size];
    for (let i = 0; i < size; i++) residual -= solution[i] * row[i];
    squares += residual ** 2;
  }
  return { intercept: solution[0], coefficients: solution.subarray(1), sd: Math.sqrt(squares / rows) };
}

/** Solves the positive definite system [A | b] by elimination. */
function solve(system: readonly Float64Array[]): Float64Array {
  const size = system.length;
  for (let k = 0; k < size; k++) {
    for (let i = k + 1; i < size; i++) {
      const ratio = system[i][k] / system[k][k];
      for (let j = k; j <= size; j++) system[i][j] -= ratio * system[k][j];
    }
  }
  const solution = new Float64Array(size);
  for (let k = size - 1; k >= 0; k--) {
    let sum = system[k][size];
    for (let j = k + 1; j < size; j++) sum -= system[k][j] * solution[j];
    solution[k] = sum / system[k][k];
  }
  return solution;
}
