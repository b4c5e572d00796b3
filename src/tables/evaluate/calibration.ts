import { checkOptions, integerFrom, PushforwardError, seedValue } from "../../check/index.ts";
import type { RunOptions } from "../../flows/index.ts";
import {
  type CalibrationResult,
  type ColumnRanks,
  lowerBound,
  rankCalibration,
  ranksAmongDraws,
  upperBound,
} from "../../numerics/index.ts";
import { Random } from "../../random/index.ts";
import { runRules } from "../../runtime/index.ts";
import { decodeRows, encodeTable, featuresOf, ROW_STATUS, type TableInput } from "../columns/index.ts";
import type { TableModel } from "../model/index.ts";
import { type CompareOptions, comparedRows, compareRules } from "./comparedRows.ts";

/** Options of `calibration`. */
export interface CalibrationOptions extends CompareOptions {
  /** Number of bins of the histograms. Default 10. */
  readonly bins?: number | undefined;
  /** Seed of the random order of equal values. Default 0. */
  readonly seed?: number | undefined;
}

/** Options of `conditionalCalibration`. */
export interface ConditionalCalibrationOptions extends Omit<CalibrationOptions, "columns">, RunOptions {
  /** Number of draws for each value. Default 39. */
  readonly draws?: number | undefined;
}

const histogramRules = { bins: integerFrom(1), seed: seedValue };

/**
 * The calibration of the distribution of each column: the probability integral transform (PIT) of a real value x, which is the rank of x
 * among generated values y, (#{y < x} + u (1 + #{y = x})) / (1 + #y) with a uniform random number u, which orders equal values at random
 * (Dawid 1984; Czado, Gneiting and Held 2009). It is uniform if real and generated values have the same distribution, also for labels, whose
 * order does not matter, and for missing values, which count as the lowest value. A U-shaped histogram means that generated values vary too
 * little.
 *
 * @throws DATA if a table lacks a column.
 */
export function calibration<Real extends object, Generated extends object>(
  real: TableInput<Real>,
  generated: TableInput<Generated>,
  options: CalibrationOptions = {},
): CalibrationResult {
  checkOptions("calibration", options, { ...compareRules, ...histogramRules });
  const { bins = 10, seed = 0, columns } = options;
  const [first, second] = comparedRows({ real, generated }, { columns });
  const ranks = first.columns.map(({ name, values }, c) => {
    const sorted = second.columns[c].values.map(orderable).sort();
    const uniform = new Random(seed).split(name).uniform(new Float64Array(first.rows));
    const pit = values.map((value, n) => {
      const x = orderable(value);
      const lower = lowerBound(sorted, x);
      const equal = upperBound(sorted, x) - lower;
      return (lower + uniform[n] * (1 + equal)) / (1 + sorted.length);
    });
    return { name, pit };
  });
  return rankCalibration(ranks, { rows: first.rows, draws: second.rows, bins });
}

/**
 * The calibration of the exact conditional distribution of each column given all others: as `calibration`, with the rank of each value among
 * draws from its own conditional distribution. Rows with a value that the model does not know are left out. Overconfident models, such as
 * overfitted ones, have U-shaped histograms. A model of independent columns can be calibrated too: calibration does not measure how much a
 * model knows.
 *
 * @throws ARGUMENT if no member of the model has exact conditional distributions; DATA if no row can be used.
 */
export async function conditionalCalibration<Row extends object>(
  model: TableModel,
  rows: TableInput<Row>,
  options: ConditionalCalibrationOptions = {},
): Promise<CalibrationResult> {
  checkOptions("conditionalCalibration", options, { ...runRules, ...histogramRules, draws: integerFrom(1) });
  const { bins = 10, seed = 0, draws = 39, ...run } = options;
  const names = model.columns.map(({ name }) => name);
  const { values, status } = encodeTable(model.columns, rows, names);
  const valid = Array.from(status.keys()).filter((n) => status[n] === ROW_STATUS.valid);
  if (valid.length === 0) {
    throw new PushforwardError("DATA", "every row has a value that the model did not learn", {
      expected: "1 row or more",
    });
  }
  const D = model.flow.features;
  const repeated = new Float64Array(valid.length * draws * D);
  valid.forEach((row, i) => {
    for (let k = 0; k < draws; k++)
      repeated.set(values.subarray(row * D, (row + 1) * D), (i * draws + k) * D);
  });
  const real = decodeRows(model.columns, repeated);
  const ranks: ColumnRanks[] = [];
  for (const [c, features] of featuresOf(model.columns).entries()) {
    if (features.length === 0) continue;
    const known = Uint8Array.from(repeated, (_, i) => (features.includes(i % D) ? 0 : 1));
    const drawn = decodeRows(
      model.columns,
      await model.drawUnknown({ values: repeated, known }, { seed, ...run }),
    )[c];
    const { name } = model.columns[c];
    const uniform = new Random(seed).split(name).uniform(new Float64Array(valid.length));
    const x = Float64Array.from(valid, (_, i) => orderable(real[c][i * draws]));
    ranks.push({ name, pit: ranksAmongDraws(x, drawn.map(orderable), uniform) });
  }
  return rankCalibration(ranks, { rows: valid.length, bins });
}

const orderable = (value: number): number => (Number.isNaN(value) ? Number.NEGATIVE_INFINITY : value);
