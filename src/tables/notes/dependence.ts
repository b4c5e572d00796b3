import { resolution } from "./grid.ts";
import { ColumnSpace, type Projection, type StandardizedColumn, standardizeColumn } from "./projection.ts";

/** A column that is a linear function of other columns: intercept + Σ coefficient · column, up to a residual. */
export interface Dependence {
  readonly column: number;
  readonly terms: readonly { readonly column: number; readonly coefficient: number }[];
  readonly intercept: number;
  /** `exact`: up to rounding errors of float64. `rounded`: up to rounding to the last digit. `near`: up to a small residual. */
  readonly precision: "exact" | "rounded" | "near";
  /** The standard deviation of the residual, divided by that of the column. */
  readonly residual: number;
}

/** Relative to the sum of the absolute terms. Thousands of float64 rounding errors add up to less; one unit of a printed digit is more. */
const MAX_ROUNDING_ERROR = 1e-12;
/** In standard deviations of the column. A residual this small adds 7 nats to the log-density, however good the model is. */
const MAX_RESIDUAL = 1e-3;
/**
 * In standard deviations of the column. Rounding to a unit u has an error of u / sqrt(12), which is this number for a tenth of a
 * standard deviation. A coarser column agrees with other columns up to rounding by chance.
 */
const MAX_ROUNDED_RESIDUAL = 0.03;
/**
 * The rounding of a column, times its coefficient, in units of the rounding of the explained column. With a larger factor, as in
 * pupil = 10000 school + 7024, the equation would allow as large an error as the explained column varies between two steps of the other one.
 */
const MAX_ROUNDING_FACTOR = 10;
/**
 * A column is compared with combinations of at most this many independent columns, and with each single column. With all of 2,000
 * columns, this would take a minute.
 */
const MAX_DIRECTIONS = 500;
/** Fewer rows may satisfy a linear equation by chance. */
const MIN_ROWS = 8;
/** The residual of a column of length 1 is shorter than this only by rounding errors. */
const MIN_RESIDUAL = 1e-9;

/**
 * Finds columns that are linear functions of earlier columns, by a QR decomposition of the standardized columns. The decomposition
 * computes the residuals directly. Eigenvalues of a covariance matrix would be the squares of residuals, and rounding errors would
 * hide residuals below 1e-8. Dependences are found in a sample of the rows and checked on all rows.
 *
 * @param columns each [rows].
 * @param first index of the first column to test. The columns before it are given: they only explain the tested columns.
 */
export function findDependences(columns: readonly Float64Array[], first = 0): Dependence[] {
  const rows = columns[0]?.length ?? 0;
  if (rows < MIN_ROWS) return [];
  const sample = sampleRows(columns, rows);
  const scaled = columns.map((values) => standardizeColumn(Float64Array.from(sample, (row) => values[row])));
  const space = new ColumnSpace();
  const independent: number[] = [];
  const found: Dependence[] = [];
  for (const [d, { z, scale }] of scaled.entries()) {
    if (scale === 0) continue;
    const projection = space.project(z);
    const dependence = d < first ? undefined : dependenceOf(d, projection);
    if (dependence) found.push(dependence);
    // With about as many columns as rows, any column is a linear function of the other columns.
    else if (
      projection.length > MIN_RESIDUAL &&
      space.size < MAX_DIRECTIONS &&
      2 * (space.size + 1) <= sample.length
    ) {
      space.add(projection);
      independent.push(d);
    }
  }
  return found;

  function dependenceOf(d: number, projection: Projection): Dependence | undefined {
    const singleColumn = fitLinear(columns, scaled, d, mostCorrelated(scaled, d));
    if (projection.length > MAX_ROUNDED_RESIDUAL || (singleColumn && singleColumn.precision !== "near"))
      return singleColumn;
    const coefficients = space.coefficients(projection);
    // The residual changes each coefficient by less than the length of the residual.
    const error = Math.max(projection.length, MIN_RESIDUAL);
    const used = independent.filter((_, i) => Math.abs(coefficients[i]) > error);
    const severalColumns =
      fitRelevant(columns, scaled, d, used) ?? fitRelevant(columns, scaled, d, independent);
    return severalColumns && (!singleColumn || severalColumns.precision !== "near")
      ? severalColumns
      : singleColumn;
  }
}

/** The earlier column of which column `d` is nearly a multiple, in a list; an empty list if there is none. */
function mostCorrelated(scaled: readonly StandardizedColumn[], d: number): number[] {
  const { z } = scaled[d];
  let best: number[] = [];
  let closest = MAX_ROUNDED_RESIDUAL ** 2;
  for (let j = 0; j < d; j++) {
    const distance = Math.min(
      squaredDistance(z, scaled[j].z, 1, closest),
      squaredDistance(z, scaled[j].z, -1, closest),
    );
    // The margin keeps the first of several columns with equal correlations.
    if (distance < closest - 1e-12) [best, closest] = [[j], distance];
  }
  return best;
}

/** The squared distance of a and b, or of a and -b for the sign -1. The sum ends once it exceeds `max`, for most columns after a few rows. */
function squaredDistance(a: Float64Array, b: Float64Array, sign: 1 | -1, max: number): number {
  let sum = 0;
  for (let row = 0; row < a.length && sum <= max; row++) sum += (a[row] - sign * b[row]) ** 2;
  return sum;
}

/** `fitLinear` without terms that vary little, if it is as accurate then: among columns that are nearly dependent, they fit rounding errors. */
function fitRelevant(
  columns: readonly Float64Array[],
  scaled: readonly StandardizedColumn[],
  d: number,
  predictors: readonly number[],
): Dependence | undefined {
  const all = fitLinear(columns, scaled, d, predictors);
  if (!all) return undefined;
  const smallest = MAX_RESIDUAL * scaled[d].scale;
  const relevant = all.terms.filter(
    ({ column, coefficient }) => Math.abs(coefficient) * scaled[column].scale > smallest,
  );
  if (relevant.length === all.terms.length) return all;
  const used = relevant.map(({ column }) => column);
  const fitted = fitLinear(columns, scaled, d, used);
  const isAccurate =
    fitted?.precision === "exact" ||
    (fitted && all.precision !== "exact" && fitted.residual <= 2 * all.residual);
  return isAccurate ? fitted : all;
}

/** Column `d` as a linear function of `predictors`, fitted to the sample; undefined if the function does not hold in all rows. */
function fitLinear(
  columns: readonly Float64Array[],
  scaled: readonly StandardizedColumn[],
  d: number,
  predictors: readonly number[],
): Dependence | undefined {
  if (predictors.length === 0) return undefined;
  const space = new ColumnSpace();
  for (const j of predictors) space.add(space.project(scaled[j].z));
  const coefficients = space.coefficients(space.project(scaled[d].z));
  const terms = predictors.map((column, i) => ({
    column,
    coefficient: (coefficients[i] * scaled[d].scale) / scaled[column].scale,
  }));
  const intercept = terms.reduce(
    (sum, { column, coefficient }) => sum - coefficient * scaled[column].mean,
    scaled[d].mean,
  );
  const target = columns[d];
  let [worst, square] = [0, 0];
  for (let row = 0; row < target.length; row++) {
    let error = target[row] - intercept;
    for (const { column, coefficient } of terms) error -= coefficient * columns[column][row];
    worst = Math.max(worst, Math.abs(error));
    square += error ** 2;
  }
  const residual = Math.sqrt(square) / standardizeColumn(target).scale;
  const total = (size: (values: Float64Array) => number) =>
    terms.reduce(
      (sum, { column, coefficient }) => sum + Math.abs(coefficient) * size(columns[column]),
      size(target),
    );
  const precision =
    residual <= MAX_RESIDUAL && worst <= MAX_ROUNDING_ERROR * total(largest)
      ? "exact"
      : // Rounding changes each column by up to half a unit; the other half allows for estimated coefficients.
        residual <= MAX_ROUNDED_RESIDUAL &&
          worst <= total(resolution) &&
          terms.every(
            ({ column, coefficient }) =>
              Math.abs(coefficient) * resolution(columns[column]) <= MAX_ROUNDING_FACTOR * resolution(target),
          )
        ? "rounded"
        : "near";
  if (!(residual <= (precision === "rounded" ? MAX_ROUNDED_RESIDUAL : MAX_RESIDUAL))) return undefined;
  // Digits of the coefficients below their standard errors carry no information, and would only confuse a reader.
  const error = (5 * residual * scaled[d].scale) / Math.sqrt(scaled[d].z.length);
  let [constant, uncertain] = [scaled[d].mean, error + MAX_ROUNDING_ERROR * total(largest)];
  const significant = terms.map(({ column, coefficient }) => {
    const { mean, scale } = scaled[column];
    const rounded = roundTo(coefficient, error / scale);
    constant -= rounded * mean;
    uncertain += (error / scale) * Math.abs(mean);
    return { column, coefficient: rounded };
  });
  return {
    column: d,
    terms: significant,
    intercept: Math.abs(constant) > uncertain ? constant : 0,
    precision,
    residual,
  };
}

/** A number rounded to the power of ten above its error. */
function roundTo(value: number, error: number): number {
  const unit = 10 ** Math.ceil(Math.log10(error));
  return unit > 0 && unit < Math.abs(value)
    ? Number((Math.round(value / unit) * unit).toPrecision(12))
    : value;
}

const largest = (values: Float64Array): number =>
  values.reduce((max, value) => Math.max(max, Math.abs(value)), 0);

/** Evenly spaced rows, and for columns that are constant in these the rows with their minimum and maximum. */
function sampleRows(columns: readonly Float64Array[], rows: number): Int32Array {
  const count = 500 + 2 * Math.min(columns.length, MAX_DIRECTIONS);
  if (rows <= count) return Int32Array.from({ length: rows }, (_, row) => row);
  const evenlySpaced = Array.from({ length: count }, (_, i) => Math.floor((i * rows) / count));
  const chosen = new Set(evenlySpaced);
  for (const values of columns) {
    if (evenlySpaced.some((row) => values[row] !== values[0])) continue;
    let [lowest, highest] = [0, 0];
    for (let row = 1; row < rows; row++) {
      if (values[row] < values[lowest]) lowest = row;
      if (values[row] > values[highest]) highest = row;
    }
    chosen.add(lowest).add(highest);
  }
  return Int32Array.from(chosen).sort();
}
