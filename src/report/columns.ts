import { PushforwardError } from "../check/index.ts";
import { nearestRank } from "../numerics/index.ts";
import { type Axis, axis, axisRange } from "./axis.ts";
import { sortFinite } from "./sortFinite.ts";

/** A table of observed rows and one of rows drawn from the model. */
export interface DataAndSamples {
  /** Names of the D columns. */
  columns: readonly string[];
  /** Observed rows, `[rows, D]` row by row. */
  data: Float64Array;
  /** Rows drawn from the model, `[rows, D]` row by row. */
  samples: Float64Array;
}

/** One column of both tables, with its axis and its smoothing parameters. */
export interface Column {
  data: Float64Array;
  samples: Float64Array;
  /** The axis, whose range is that of the data. */
  axis: Axis;
  /** The number of histogram bins by the rule of Freedman and Diaconis (1981), from 12 to 60. */
  bins: number;
  /**
   * The bandwidth of the samples' Gaussian kernel density in two dimensions, in data units: two thirds of Scott's rule with a
   * robust scale, because Scott's rule oversmooths densities with several modes.
   */
  bandwidth: number;
}

/** Returns the columns whose names are in `show`, in this order. Throws `SHAPE`, `ARGUMENT` or `DATA` if they cannot be drawn. */
export function readColumns({ columns, data, samples }: DataAndSamples, show: readonly string[]): Column[] {
  for (const [what, table] of Object.entries({ data, samples })) {
    if (table.length > 0 && table.length % columns.length === 0) continue;
    throw new PushforwardError("SHAPE", `the ${what} do not match the columns`, {
      expected: `one or more rows of ${columns.length} numbers`,
      received: `${table.length} numbers`,
    });
  }
  if (show.length === 0) {
    throw new PushforwardError("ARGUMENT", "the option show is empty", { expected: columns.join(", ") });
  }
  return show.map((name) => {
    const j = columns.indexOf(name);
    if (j < 0) {
      const expected = columns.join(", ");
      throw new PushforwardError("ARGUMENT", "the option show names a column that does not exist", {
        expected,
        received: name,
      });
    }
    const [observed, drawn] = [data, samples].map((table) => pick(table, columns.length, j)) as [
      Float64Array,
      Float64Array,
    ];
    const [sorted, sortedDrawn] = [sortFinite(observed), sortFinite(drawn)];
    if (sorted.length === 0 || sortedDrawn.length === 0) {
      throw new PushforwardError("DATA", `column "${name}" cannot be drawn`, {
        expected: "finite values in data and samples",
        received: `none in the ${sorted.length === 0 ? "data" : "samples"}`,
      });
    }
    const range = axisRange(sorted);
    const binWidth = 1.349 * 2 * robustScale(sorted) * sorted.length ** (-1 / 3);
    return {
      data: observed,
      samples: drawn,
      axis: axis(name, range),
      bins: Math.max(12, Math.min(60, Math.ceil((range[1] - range[0]) / binWidth))),
      bandwidth: 0.66 * robustScale(sortedDrawn) * sortedDrawn.length ** (-1 / 6),
    };
  });
}

function pick(table: Float64Array, columns: number, j: number): Float64Array {
  const column = new Float64Array(table.length / columns);
  for (let row = 0; row < column.length; row++) column[row] = table[row * columns + j]!;
  return column;
}

/** The standard deviation of the Gaussian with the same interquartile range. */
const robustScale = (sorted: Float64Array): number =>
  (nearestRank(sorted, 0.75) - nearestRank(sorted, 0.25)) / 1.349;

/**
 * Chooses at most `maxCount` values, the same rows for every column of a table.
 *
 * The rows are divided into `maxCount` segments of equal length. The position of the chosen row in its segment moves by the
 * golden ratio (modulo 1), so the choice is even also for rows that are sorted or periodic.
 */
export function subsample(values: Float64Array, maxCount: number): Float64Array {
  if (values.length <= maxCount) return values;
  const segment = values.length / maxCount;
  return Float64Array.from(
    { length: maxCount },
    (_, k) => values[Math.floor((k + ((k * 0.6180339887) % 1)) * segment)]!,
  );
}

/** The fraction of the rows of a table that are outside of the axis of at least one column. */
export function fractionOutside(columns: readonly Column[], table: "data" | "samples"): number {
  const rows = columns[0]![table].length;
  let inside = 0;
  for (let row = 0; row < rows; row++) {
    if (columns.every(({ axis: { range }, [table]: values }) => isWithin(values[row]!, range))) inside++;
  }
  return 1 - inside / rows;
}

/** Whether a value is in a range; false for NaN. */
export const isWithin = (value: number, [lower, upper]: readonly [number, number]): boolean =>
  value >= lower && value <= upper;
