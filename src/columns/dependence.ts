import { resolution } from "./grid.ts";
import { ColumnSpace, dot, type Projection, type Scaled, scaledColumn } from "./projection.ts";

/** A column that others determine: the intercept and the sum of coefficients times columns, up to a residual. */
export interface Dependence {
  readonly column: number;
  readonly terms: readonly { readonly column: number; readonly coefficient: number }[];
  readonly intercept: number;
  /** `exact`: up to the rounding of float64. `rounded`: up to the digits of the values. `near`: the residual is small. */
  readonly precision: "exact" | "rounded" | "near";
  /** The standard deviation of the residual, in those of the column. */
  readonly residual: number;
}

/** Relative to the sum of the absolute terms: thousands of roundings of float64, and less than a printed digit. */
const MAX_ROUNDING_ERROR = 1e-12;
/** In standard deviations of the column. A residual of a thousandth adds 7 nats to the log-density, however good the model is. */
const MAX_RESIDUAL = 1e-3;
/** In standard deviations. A column with fewer than about ten units in one agrees with others up to its rounding by chance. */
const MAX_ROUNDED_RESIDUAL = 0.03;
/** Fewer rows may agree by chance. */
const MIN_ROWS = 8;

/**
 * Finds the columns that are linear functions of columns before them, by a QR decomposition of the standardized columns:
 * it leaves the residuals themselves, where the eigenvalues of a covariance matrix are their squares and drown in rounding
 * at 1e-8. What a sample of the rows shows is checked on all.
 *
 * @param columns each [rows].
 * @param first the first column to look at: those before it are given.
 */
export function dependences(columns: readonly Float64Array[], first = 0): Dependence[] {
  const rows = columns[0]?.length ?? 0;
  if (rows < MIN_ROWS) return [];
  const sample = sampleRows(columns, rows);
  const scaled = columns.map((values) => scaledColumn(Float64Array.from(sample, (row) => values[row])));
  const space = new ColumnSpace();
  const independent: number[] = [];
  const found: Dependence[] = [];
  for (const [d, { z, scale }] of scaled.entries()) {
    if (scale === 0) continue;
    const projection = space.project(z);
    const dependence = d < first ? undefined : dependenceOf(d, projection);
    if (dependence) found.push(dependence);
    // As many columns as rows would determine any other.
    else if (projection.length > 1e-9 && 2 * (space.size + 1) <= sample.length) {
      space.add(projection);
      independent.push(d);
    }
  }
  return found;

  function dependenceOf(d: number, projection: Projection): Dependence | undefined {
    const copy = fitted(columns, scaled, d, mostCorrelated(scaled, d));
    if (projection.length > MAX_ROUNDED_RESIDUAL || (copy && copy.precision !== "near")) return copy;
    const coefficients = space.coefficients(projection);
    // The residual changes each coefficient by less than its own length.
    const error = Math.max(projection.length, 1e-9);
    const used = independent.filter((_, i) => Math.abs(coefficients[i]) > error);
    const sum = fitted(columns, scaled, d, used) ?? fitted(columns, scaled, d, independent);
    return sum && (!copy || sum.precision !== "near") ? sum : copy;
  }
}

/** The column before `d` that it is nearly a copy of, as a list of one; an empty one if there is none. */
function mostCorrelated(scaled: readonly Scaled[], d: number): number[] {
  let best: number[] = [];
  let highest = Math.sqrt(1 - MAX_ROUNDED_RESIDUAL ** 2);
  for (let j = 0; j < d; j++) {
    const correlation = Math.abs(dot(scaled[j].z, scaled[d].z));
    // Of equal copies the first one is taken.
    if (correlation > highest + 1e-12) [best, highest] = [[j], correlation];
  }
  return best;
}

/** Column `d` as a function of others, fitted to the sample, if it is one in all rows. */
function fitted(
  columns: readonly Float64Array[],
  scaled: readonly Scaled[],
  d: number,
  others: readonly number[],
): Dependence | undefined {
  if (others.length === 0) return undefined;
  const space = new ColumnSpace();
  for (const j of others) space.add(space.project(scaled[j].z));
  const coefficients = space.coefficients(space.project(scaled[d].z));
  const terms = others.map((column, i) => ({
    column,
    coefficient: (coefficients[i] * scaled[d].scale) / scaled[column].scale,
  }));
  const intercept = terms.reduce(
    (left, { column, coefficient }) => left - coefficient * scaled[column].mean,
    scaled[d].mean,
  );
  const own = columns[d];
  let [worst, square] = [0, 0];
  for (let row = 0; row < own.length; row++) {
    let value = own[row] - intercept;
    for (const { column, coefficient } of terms) value -= coefficient * columns[column][row];
    worst = Math.max(worst, Math.abs(value));
    square += value ** 2;
  }
  const residual = Math.sqrt(square) / scaledColumn(own).scale;
  const total = (size: (values: Float64Array) => number) =>
    terms.reduce(
      (sum, { column, coefficient }) => sum + Math.abs(coefficient) * size(columns[column]),
      size(own),
    );
  const precision =
    residual <= MAX_RESIDUAL && worst <= MAX_ROUNDING_ERROR * total(largest)
      ? "exact"
      : // Rounding leaves half a unit of each column; the other half is for coefficients that are estimates.
        residual <= MAX_ROUNDED_RESIDUAL && worst <= total(resolution)
        ? "rounded"
        : "near";
  if (!(residual <= (precision === "rounded" ? MAX_ROUNDED_RESIDUAL : MAX_RESIDUAL))) return undefined;
  // Digits below the error of the estimates carry no information.
  const error = (5 * residual * scaled[d].scale) / Math.sqrt(scaled[d].z.length);
  let [constant, uncertain] = [scaled[d].mean, error + MAX_ROUNDING_ERROR * total(largest)];
  const significant = terms.map(({ column, coefficient }) => {
    const { mean, scale: own } = scaled[column];
    const rounded = roundTo(coefficient, error / own);
    constant -= rounded * mean;
    uncertain += (error / own) * Math.abs(mean);
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

/** A number rounded to the power of ten above an error. */
function roundTo(value: number, error: number): number {
  const unit = 10 ** Math.ceil(Math.log10(error));
  return unit > 0 && unit < Math.abs(value)
    ? Number((Math.round(value / unit) * unit).toPrecision(12))
    : value;
}

const largest = (values: Float64Array): number =>
  values.reduce((max, value) => Math.max(max, Math.abs(value)), 0);

/** Rows at equal distances, and those with the ends of each column, so that no column is constant in them. */
function sampleRows(columns: readonly Float64Array[], rows: number): Int32Array {
  const wanted = 500 + 2 * columns.length;
  if (rows <= wanted) return Int32Array.from({ length: rows }, (_, row) => row);
  const chosen = new Set(Array.from({ length: wanted }, (_, i) => Math.floor((i * rows) / wanted)));
  for (const values of columns) {
    let [lowest, highest] = [0, 0];
    for (let row = 1; row < rows; row++) {
      if (values[row] < values[lowest]) lowest = row;
      if (values[row] > values[highest]) highest = row;
    }
    chosen.add(lowest).add(highest);
  }
  return Int32Array.from(chosen).sort();
}
