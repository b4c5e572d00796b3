import { columnOf, countValues } from "../../dataset/index.ts";
import type { Atoms } from "../../distributions/index.ts";
import { type ColumnHeadOptions, type QuantileKnotsOptions, quantileKnots } from "../densities/index.ts";
import { peaks } from "./peaks.ts";
import { featureBounds, featureNames, type TableColumn } from "./tableColumn.ts";
import { TIME_PERIODS } from "./timeParts.ts";

/**
 * A value of a numeric column is an atom, with a probability of its own, if it is in 1% of the rows and in at least 5 of them, or in
 * 0.2% of the rows and in at least 20 of them. With fewer rows its probability would be a guess.
 */
const ATOM_IN_SMALL_TABLE = { minShare: 0.01, minRows: 5 };
const ATOM_IN_LARGE_TABLE = { minShare: 0.002, minRows: 20 };
/**
 * The distribution of a lattice with more different values than this is taken to be smooth except for its peaks. That of fewer values, such
 * as days of the week and months, need not be smooth.
 */
const MAX_CELLS_WITHOUT_SMOOTHNESS = 16;
/** Per column; the most frequent values come first. */
const MAX_ATOMS = 64;
/** The largest probability of the values that no training row has. */
const MAX_UNSEEN = 0.05;

/** Options of `columnHeads`. */
type HeadOptions = Pick<QuantileKnotsOptions, "quantiles">;

/** Options of `tableHeads`. */
interface TableHeadOptions extends HeadOptions {
  /** The values of each feature that have probabilities, as in `Flow.atoms`. Default: the frequent values of continuous columns. */
  readonly atoms?: readonly Atoms[] | undefined;
}

/**
 * The conditional distributions of the features of a column, from the features of the training rows (`encodeColumn`). `atoms` are the
 * values of a continuous column that get probabilities of their own, by default its frequent values.
 */
export function columnHeads(
  column: TableColumn,
  features: readonly Float64Array[],
  options: HeadOptions = {},
  atoms?: Atoms,
): ColumnHeadOptions[] {
  const { gaps } = column;
  switch (column.kind) {
    case "constant":
      return [];
    case "categorical":
      return [
        {
          type: "categorical",
          categories: column.labels.length,
          unseen: hasAllLabels(column) ? 0 : unseenLabels(features[0]),
          gaps,
        },
      ];
    case "time":
      return column.parts.map(({ unit, step = 1, cells }, i) => {
        const sorted = presentSorted(features[i]);
        return {
          type: "lattice",
          cells,
          knots: latticeKnots(sorted, cells, options),
          atoms: frequentCells(sorted),
          unseen: unseenProbability(features[i].length),
          // A period of one cell would be a constant input.
          periods: TIME_PERIODS[unit].map((period) => period / step).filter((period) => period > 1),
          // A date is missing as a whole, so all its parts have the gap of the first one.
          gaps: gaps && i === 0,
          sharesGap: gaps && i > 0,
        };
      });
    case "lattice": {
      const { cells, scale, step, period } = column;
      const sorted = presentSorted(features[0]);
      const periods = period === undefined ? [] : [period / step];
      const knots = latticeKnots(sorted, cells, { ...options, scale });
      const unseen = unseenProbability(features[0].length);
      return [{ type: "lattice", cells, unseen, scale, knots, atoms: frequentCells(sorted), periods, gaps }];
    }
    case "continuous": {
      const { scale, period, cut } = column;
      const sorted = presentSorted(features[0]);
      const bounds = featureBounds(column);
      const { low = Number.NEGATIVE_INFINITY, high = Number.POSITIVE_INFINITY } = bounds;
      const outside = (x: number) => x < low || x > high;
      // Bounds are atoms, because scales such as log(x - low) are infinite there. No value is at the cut of a circle.
      const always = cut === undefined ? Object.values(bounds) : [];
      const repeated = Array.isArray(atoms) ? atoms : frequentValues(sorted, always, outside);
      const continuous = sorted.filter((x) => !repeated.includes(x));
      const knots = quantileKnots(
        continuous.length > 0 ? continuous : [scale.type === "logit" ? (scale.low + scale.high) / 2 : 1],
        { ...options, scale },
      );
      const periods = period === undefined ? [] : [period];
      return [{ type: "continuous", scale, knots, atoms: repeated, periods, gaps }];
    }
  }
}

/** The knots of a lattice. If no training row has a value (all rows with one were held out), they are those of its middle cell. */
const latticeKnots = (sorted: Float64Array, cells: number, options: QuantileKnotsOptions) =>
  quantileKnots(sorted.length > 0 ? sorted : [Math.floor(cells / 2)], { ...options, width: 1 });

/** The heads of the features of all columns, from rows of these features [N, D] in row-major order. */
export function tableHeads(
  columns: readonly TableColumn[],
  { rows, values }: { rows: number; values: ArrayLike<number> },
  { atoms, ...options }: TableHeadOptions = {},
): ColumnHeadOptions[] {
  const names = columns.flatMap(featureNames);
  let next = 0;
  return columns.flatMap((column) => {
    const ofColumn = atoms?.[next];
    const features = featureNames(column).map(() => columnOf({ columns: names, rows, values }, next++));
    return columnHeads(column, features, options, ofColumn);
  });
}

/**
 * The atoms of a lattice: frequent cells, all of them if the lattice has few cells, and otherwise those that have more rows than the smooth
 * distribution of the other cells explains. Without this condition, nearly all cells of a small table would be atoms, and each would need
 * parameters of its own.
 */
function frequentCells(sorted: Float64Array): number[] {
  const counted = countValues(sorted);
  const isPeak = peaks(counted);
  const hasFewCells = counted.values.length <= MAX_CELLS_WITHOUT_SMOOTHNESS;
  return frequentValues(sorted).filter((cell) => hasFewCells || isPeak.has(cell));
}

const presentSorted = (feature: Float64Array): Float64Array =>
  feature.filter((value) => !Number.isNaN(value)).sort();

/** Atoms in ascending order: the values `always`, the values that are outside the bounds, and those that many rows have. */
function frequentValues(
  sorted: Float64Array,
  always: readonly number[] = [],
  isOutside: (value: number) => boolean = () => false,
): number[] {
  const { values, counts, rows } = countValues(sorted);
  const minRows = Math.min(
    ...[ATOM_IN_SMALL_TABLE, ATOM_IN_LARGE_TABLE].map(({ minShare, minRows }) =>
      Math.max(minRows, minShare * rows),
    ),
  );
  const atoms = new Set(always);
  values.forEach((value) => {
    if (isOutside(value)) atoms.add(value);
  });
  const order = values.map((_, i) => i).sort((a, b) => counts[b] - counts[a]);
  for (const i of order) {
    if (atoms.size >= MAX_ATOMS || counts[i] < minRows) break;
    atoms.add(values[i]);
  }
  return [...atoms].sort((a, b) => a - b);
}

/** Whether no other label is possible: true and false are the only booleans. */
const hasAllLabels = ({ type, isBoolean, labels }: TableColumn & { kind: "categorical" }): boolean =>
  (type === "boolean" || isBoolean === true) && labels.length === 2;

/**
 * The probability that a new row has a label that no training row has: n1 / (N + 1) for N training rows, n1 of which have a label that
 * no other row has (Good 1953), within the bounds of `unseenProbability`.
 */
function unseenLabels(codes: Float64Array): number {
  const { counts } = countValues(presentSorted(codes));
  // Rows without a label count too: the probability is that of a new row, not that of a new label.
  return unseenProbability(codes.length, counts.filter((count) => count === 1).length);
}

/**
 * The probability of values that training did not see: the share of `single` rows, but at least that of half a row and at most
 * `MAX_UNSEEN`. A lattice has the share of half a row, because its smooth distribution has probabilities for new cells too.
 */
const unseenProbability = (rows: number, single = 0): number =>
  Math.min(MAX_UNSEEN, Math.max(0.5, single) / (rows + 1));
