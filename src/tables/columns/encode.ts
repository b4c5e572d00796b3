import { rowMajor } from "../../dataset/index.ts";
import {
  type ContinuousColumn,
  featureCardinalities,
  featureNames,
  type LatticeColumn,
  type RawColumn,
  type TableColumn,
} from "./tableColumn.ts";
import { hasFixedParts, partOf, timeOf } from "./timeParts.ts";
import { typedText } from "./typedText.ts";

/** The feature of a value that is not a cell of the lattice: no lattice has this cell, so its probability is 0. */
export const NO_CELL = -1;
/** A value is in a cell if it differs from the value of the cell by at most `CELL_TOLERANCE` steps and a relative error of `ROUNDING`. */
export const CELL_TOLERANCE = 1e-6;
export const ROUNDING = 2 ** -50;

/** The value of a cell. */
const latticeValue = ({ first, step, decimals }: LatticeColumn, cell: number): number =>
  Number((first + step * cell).toFixed(decimals));

const positionOf = ({ first, step }: LatticeColumn, value: number): number => (value - first) / step;

/** The cell of a value, or `NO_CELL`. */
function cellOf(column: LatticeColumn, value: number): number {
  const position = positionOf(column, value);
  const cell = Math.round(position);
  const tolerance =
    CELL_TOLERANCE + (ROUNDING * Math.max(Math.abs(value), Math.abs(column.first))) / column.step;
  const isCell = Math.abs(position - cell) <= Math.min(0.25, tolerance) && cell >= 0 && cell < column.cells;
  return isCell ? cell : NO_CELL;
}

/** One period for a value before the cut of its circle, otherwise 0. */
const periodBeforeCut = ({ low, period, cut }: ContinuousColumn, value: number): number =>
  cut !== undefined && value >= low! && value < cut ? period! : 0;

/**
 * The features of the values of a column, one array for each of `featureNames`. Text must be given as indices of the labels of the
 * column, and as the number of labels if it is none of them. Values that the column cannot have become features of probability 0.
 */
export function encodeColumn(column: TableColumn, values: Float64Array): Float64Array[] {
  const map = (feature: (value: number) => number) =>
    values.map((value) => (Number.isNaN(value) ? Number.NaN : feature(value)));
  switch (column.kind) {
    case "constant":
      return [];
    case "continuous":
      return [map((value) => value - column.center + periodBeforeCut(column, value))];
    case "lattice":
      return [map((value) => cellOf(column, value))];
    case "categorical":
      return [values];
    case "time":
      return column.parts.map(({ unit, first, step = 1, cells }) =>
        map((time) => {
          const cell = (partOf(time, unit) - first) / step;
          const isCell = Number.isInteger(cell) && cell >= 0 && cell < cells;
          return isCell && hasFixedParts(column, time) ? cell : NO_CELL;
        }),
      );
  }
}

/**
 * Encodes as `encodeColumn`, but without `NO_CELL`: a value in no cell of a lattice becomes its position in steps from the first cell, which
 * is then not an integer or not in 0 ... cells - 1. So the distance between any two rows is defined.
 */
export function positionsInColumn(column: TableColumn, values: Float64Array): Float64Array[] {
  if (column.kind === "lattice") {
    const [cells] = encodeColumn(column, values);
    return [cells.map((cell, n) => (cell === NO_CELL ? positionOf(column, values[n]) : cell))];
  }
  if (column.kind !== "time") return encodeColumn(column, values);
  return column.parts.map(({ unit, first, step = 1 }) =>
    values.map((time) => (Number.isNaN(time) ? time : (partOf(time, unit) - first) / step)),
  );
}

/** Positions [rows, features] moved to the nearest cells, in columns whose values are cells. */
export function nearestCells(columns: readonly TableColumn[], positions: Float64Array): Float64Array {
  const cells = columns.flatMap((column) =>
    column.kind === "categorical" ? [null] : featureCardinalities(column),
  );
  return positions.map((position, i) => {
    const count = cells[i % cells.length];
    return count === null ? position : Math.min(count - 1, Math.max(0, Math.round(position)));
  });
}

/** The values of a column from its features, the inverse of `encodeColumn`. The value of a constant is 0. */
function decodeColumn(
  column: TableColumn,
  features: readonly ArrayLike<number>[],
  rows: number,
): Float64Array {
  const out = new Float64Array(rows);
  const decode = rowDecoder(column, features);
  for (let n = 0; n < rows; n++) {
    const isMissing = features.some((feature) => Number.isNaN(feature[n]));
    out[n] = isMissing ? Number.NaN : decode(n);
  }
  return out;
}

/** A function of n that returns the value of row n, of which no feature is missing. */
function rowDecoder(column: TableColumn, features: readonly ArrayLike<number>[]): (n: number) => number {
  const [first] = features;
  switch (column.kind) {
    case "constant":
      return () => (column.value === null ? Number.NaN : 0);
    case "continuous":
      return (n) => continuousValue(column, first[n]);
    case "lattice":
      return (n) => latticeValue(column, first[n]);
    case "categorical":
      return (n) => first[n];
    case "time":
      return (n) =>
        timeOf(
          column,
          column.parts.map(({ first, step = 1 }, i) => first + step * features[i][n]),
        );
  }
}

/** The largest relative change of a code for missing values by rounding: features are float32. */
export const CODE_TOLERANCE = 1e-6;

/**
 * The value of a feature, rounded to the decimals of the column and clipped to its bounds. Codes for missing values are outside the bounds,
 * and stay there.
 */
export function continuousValue(
  {
    center,
    low = Number.NEGATIVE_INFINITY,
    high = Number.POSITIVE_INFINITY,
    codes = [],
    decimals,
    period,
    cut,
  }: ContinuousColumn,
  feature: number,
): number {
  const value = feature + center;
  if (value < low || value > high) {
    const code = codes.find(
      (code) => Math.abs(value - code) <= CODE_TOLERANCE * (Math.abs(code) + Math.abs(center)),
    );
    if (code !== undefined) return code;
  }
  const rounded = (x: number) => (decimals === undefined ? x : Number(x.toFixed(decimals)));
  const isPastEnd = cut !== undefined && feature <= period! && rounded(value) >= high;
  return Math.min(high, Math.max(low, rounded(isPastEnd ? value - period! : value)));
}

/** The features of all columns in row-major order, [rows, features]. `values` has an array for each of `columns`, in their order. */
export function encodeRows(columns: readonly TableColumn[], values: readonly Float64Array[]): Float64Array {
  const features = columns.flatMap((column, i) => encodeColumn(column, values[i]));
  return rowMajor(features, values[0]?.length ?? 0);
}

/**
 * The values of each column, from features in row-major order. After its features, a row may have `extra` more numbers (default 0), which
 * are returned after the columns.
 */
export function decodeRows(
  columns: readonly TableColumn[],
  rows: ArrayLike<number>,
  extra = 0,
): Float64Array[] {
  const width = columns.reduce((sum, column) => sum + featureNames(column).length, extra);
  const count = rows.length / width;
  const feature = (f: number) => {
    const out = new Float64Array(count);
    for (let n = 0, i = f; n < count; n++, i += width) out[n] = rows[i];
    return out;
  };
  let start = 0;
  const values = columns.map((column) => {
    const features = featureNames(column).map((_, i) => feature(start + i));
    start += features.length;
    return decodeColumn(column, features, count);
  });
  return [...values, ...Array.from({ length: extra }, (_, i) => feature(start + i))];
}

/**
 * The values of new rows in a column, as `encodeColumn` needs them: in a categorical column, each becomes the index of its label, or the
 * number of labels if it is none of them.
 */
export function labelCodes(column: TableColumn, raw: RawColumn): Float64Array {
  if (column.kind !== "categorical") return raw.values;
  const { type, values, labels } = raw.exactText ?? raw;
  const codes = new Map(column.labels.map((label, code) => [label, code]));
  const codeOf = (text: string) => codes.get(text) ?? column.labels.length;
  const codeOfLabel = labels?.map(codeOf);
  return values.map((value) =>
    Number.isNaN(value) ? value : codeOfLabel ? codeOfLabel[value] : codeOf(typedText(type, value)),
  );
}
