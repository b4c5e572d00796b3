import { isMissing } from "../../distributions/index.ts";
import { constant, stack, type Tensor } from "../../graph/index.ts";
import { CELL_TOLERANCE, CODE_TOLERANCE, NO_CELL, ROUNDING } from "./encode.ts";
import { featureNames, type LatticeColumn, type TableColumn, type ValueType } from "./tableColumn.ts";
import { millisecondsOf } from "./tableRows.ts";
import { hasFixedParts, partOf, timeOf } from "./timeTensors.ts";
import { ROW_STATUS } from "./unlearned.ts";

// The functions of encode.ts for tensors: an exported model includes the encoding of its columns. Its graph needs float64.
//
// The values of a column are a tensor [N]: numbers as they are, booleans as 0 and 1, dates and timestamps in milliseconds since
// 1970-01-01, times in milliseconds since midnight, and text as an index of the labels of the column, where the value of a constant
// is the label 1. A missing value is NaN, and -1 for text.

/** The index of a missing text. */
export const MISSING_TEXT = -1;

type Continuous = Extract<TableColumn, { kind: "continuous" }>;
type Categorical = Extract<TableColumn, { kind: "categorical" }>;
type Constant = Extract<TableColumn, { kind: "constant" }>;

/** Rows of a table as features of a model. */
interface EncodedTensors {
  /** [N, D]. */
  readonly features: Tensor;
  /** [N], the largest `ROW_STATUS` of the values of a row. */
  readonly status: Tensor;
}

/** The features of the values [N] of each column, and the status of each row. */
export function encodeTensors(columns: readonly TableColumn[], values: readonly Tensor[]): EncodedTensors {
  const numbers = columns.map(({ type }, c) =>
    type === "text" ? values[c].equal(MISSING_TEXT).where(Number.NaN, values[c]) : values[c],
  );
  const features = columns.flatMap((column, c) => {
    // A flow may not accept NaN. If a value is missing in a column without gaps, the row has no log-density, so any number will do.
    const missing = column.gaps ? Number.NaN : 0;
    return encodeColumn(column, numbers[c]).map((feature) => isMissing(numbers[c]).where(missing, feature));
  });
  const status = columns.map((column, c) => columnStatus(column, numbers[c]));
  return { features: stack(features, 1), status: status.reduce((a, b) => a.maximum(b)) };
}

function encodeColumn(column: TableColumn, values: Tensor): Tensor[] {
  switch (column.kind) {
    case "constant":
      return [];
    case "continuous": {
      const { center, low, period, cut } = column;
      const feature = values.sub(center);
      if (cut === undefined) return [feature];
      const isBeforeCut = values.less(cut).and(values.less(low!).not());
      return [isBeforeCut.where(feature.add(period!), feature)];
    }
    case "lattice":
      return [cellOf(column, values)];
    case "categorical":
      return [column.type === "text" ? values : labelIndex(column, values)];
    case "time": {
      const isFixed = hasFixedParts(column, values);
      return column.parts.map(({ unit, first, step = 1, cells }) => {
        const position = partOf(values, unit).sub(first).div(step);
        const cell = position.floor();
        return isFixed.and(position.equal(cell)).and(isWithin(cell, cells)).where(cell, NO_CELL);
      });
    }
  }
}

/** The values [N] of each column from features [N, D], the inverse of `encodeTensors`. */
export function decodeTensors(columns: readonly TableColumn[], features: Tensor): Tensor[] {
  let start = 0;
  return columns.map((column) => {
    const ofColumn = featureNames(column).map((_, i) =>
      features.slice(1, start + i, start + i + 1).reshape(["N"]),
    );
    start += ofColumn.length;
    if (column.kind === "constant") return filled(features, constantValue(column));
    const missing = column.type === "text" ? MISSING_TEXT : Number.NaN;
    return any(ofColumn.map(isMissing)).where(missing, decodeColumn(column, ofColumn));
  });
}

function decodeColumn(column: Exclude<TableColumn, Constant>, features: readonly Tensor[]): Tensor {
  const [first] = features;
  switch (column.kind) {
    case "continuous":
      return continuousValue(column, first);
    case "lattice":
      return rounded(first.mul(column.step).add(column.first), column.decimals);
    case "categorical":
      return column.type === "text" ? first : labelNumber(column, first);
    case "time":
      return timeOf(
        column,
        column.parts.map(({ first, step = 1 }, i) => features[i].mul(step).add(first)),
      );
  }
}

/** The `ROW_STATUS` of each value [N] of a column. */
function columnStatus(column: TableColumn, values: Tensor): Tensor {
  const { impossible, incomplete, valid } = ROW_STATUS;
  if (column.kind === "constant" && column.value === null) return isMissing(values).where(valid, impossible);
  const status = isImpossible(column, values).where(impossible, valid);
  return isMissing(values).where(column.gaps ? valid : incomplete, status);
}

/** Whether each value [N] has probability 0, if it is not missing. */
function isImpossible(column: TableColumn, values: Tensor): Tensor {
  switch (column.kind) {
    case "constant":
      return values.equal(constantValue(column)).not();
    case "continuous": {
      const { low = -Number.MAX_VALUE, high = Number.MAX_VALUE, codes = [] } = column;
      const isOutside = values.less(low).or(values.greater(high));
      return codes.reduce((outside, code) => outside.and(values.equal(code).not()), isOutside);
    }
    case "categorical":
      // False for every value, unless no other label is possible.
      return column.isBoolean
        ? encodeColumn(column, values)[0].less(column.labels.length).not()
        : values.less(values);
    default:
      return any(encodeColumn(column, values).map((cell) => cell.equal(NO_CELL)));
  }
}

/** The cell of each value, or `NO_CELL`. */
function cellOf({ first, step, cells }: LatticeColumn, values: Tensor): Tensor {
  const position = values.sub(first).div(step);
  const cell = position.add(0.5).floor();
  const tolerance = values
    .abs()
    .maximum(Math.abs(first))
    .mul(ROUNDING / step)
    .add(CELL_TOLERANCE);
  const isClose = position.sub(cell).abs().lessEqual(tolerance.minimum(0.25));
  return isClose.and(isWithin(cell, cells)).where(cell, NO_CELL);
}

function continuousValue(
  { center, low = -Number.MAX_VALUE, high = Number.MAX_VALUE, codes = [], decimals, period, cut }: Continuous,
  feature: Tensor,
): Tensor {
  const value = feature.add(center);
  const round = (x: Tensor) => (decimals === undefined ? x : rounded(x, decimals));
  const isPastEnd = round(value)
    .less(high)
    .not()
    .and(feature.lessEqual(period ?? 0));
  const wrapped = cut === undefined ? value : isPastEnd.where(value.sub(period!), value);
  const isOutside = value.less(low).or(value.greater(high));
  return codes.toReversed().reduce(
    (other, code) => {
      const tolerance = CODE_TOLERANCE * (Math.abs(code) + Math.abs(center));
      return isOutside.and(value.sub(code).abs().lessEqual(tolerance)).where(code, other);
    },
    round(wrapped).clip(low, high),
  );
}

/** The index of the label of each value, or the number K of labels for a value that is no label. */
function labelIndex(column: Categorical, values: Tensor): Tensor {
  const K = column.labels.length;
  // The sum is k - K for label k, and 0 for a value that is no label.
  const offsets = column.labels.map((_, k) => k - K);
  return lookUp(values, labelNumbers(column), offsets).add(K);
}

/** The number of each label, from its index; NaN for a label that was not learned. */
function labelNumber(column: Categorical, index: Tensor): Tensor {
  const indices = column.labels.map((_, k) => k);
  const numbers = lookUp(index, indices, labelNumbers(column));
  return index.less(column.labels.length).where(numbers, Number.NaN);
}

const labelNumbers = ({ type, labels }: Categorical): number[] =>
  labels.map((label) => numberOf(type, label));

/** The number `to[k]` for each value [N] that is `from[k]`, or 0 for other values. */
function lookUp(values: Tensor, from: readonly number[], to: readonly number[]): Tensor {
  const row = (numbers: readonly number[]) => constant(numbers, [1, numbers.length]);
  return values.reshape(["N", 1]).equal(row(from)).toFloat().mul(row(to)).sum(1);
}

/** The value of a constant column as a number. */
const constantValue = ({ type, value }: Constant): number =>
  value === null
    ? type === "text"
      ? MISSING_TEXT
      : Number.NaN
    : type === "text"
      ? 1
      : numberOf(type, value);

/** The number of a value that is written as `typedText` writes it. */
function numberOf(type: ValueType, text: string): number {
  if (type === "boolean") return text === "true" ? 1 : 0;
  return type === "date" || type === "timestamp" || type === "time" ? millisecondsOf(text) : Number(text);
}

const any = (conditions: readonly Tensor[]): Tensor => conditions.reduce((a, b) => a.or(b));

const isWithin = (cell: Tensor, cells: number): Tensor => cell.greaterEqual(0).and(cell.less(cells));

/** Rounds values to `decimals` decimals. */
const rounded = (values: Tensor, decimals: number): Tensor =>
  values
    .mul(10 ** decimals)
    .add(0.5)
    .floor()
    .div(10 ** decimals);

/** [N] numbers that are all `value`, for rows [N, D] that may contain NaN. */
function filled(rows: Tensor, value: number): Tensor {
  const first = rows.slice(1, 0, 1).reshape(["N"]);
  return first.less(first).toFloat().add(value);
}
