import type { ValueScale } from "../../bijections/index.ts";
import { PushforwardError } from "../../check/index.ts";
import { filterValues, quantile, type ValueCounts } from "../../dataset/index.ts";
import { findMissingCodes } from "../notes/index.ts";
import { MAX_CELLS } from "../options/index.ts";
import { chooseScale } from "./chooseScale.ts";
import { type Bounds, boundsOf, checkBounds, isOutside } from "./columnBounds.ts";
import type { ColumnOptions } from "./columnOptions.ts";
import { decimalsOf, latticeRange, latticeSpacing } from "./latticeRange.ts";
import { allowsLinearScale } from "./linearScale.ts";
import type { TableColumn } from "./tableColumn.ts";

/** Features are float32, of which heads allow this range. */
const MAX_NUMBER = 1e30;
const MIN_NUMBER = 1e-30;
/** Larger integers are numbers, because models write integers as 64-bit integers. This is the largest float64 below 2^63. */
export const MAX_INTEGER = 2 ** 63 - 1024;
/** Numbers that are not equally spaced are labels if at most this many are different, and each is in at least this many rows. */
const MAX_NUMERIC_LABELS = 64;
const MIN_ROWS_OF_NUMERIC_LABEL = 5;
/** Integers that occupy a smaller share of the cells of their lattice are labels under the same conditions. */
const MIN_SHARE_OF_CELLS = 0.1;
/** Scales are chosen from at most about this many rows. */
const MAX_ROWS_FOR_SCALE = 20_000;

/** Periods of numbers by the names of their columns, with the smallest and the largest value. */
const CYCLIC_NAMES: readonly (readonly [name: RegExp, low: number, high: number, period: number])[] = [
  [/(^|[_\s.])hours?$|^hour/i, 0, 24, 24],
  [/(^|[_\s.])months?$|^month/i, 1, 12, 12],
  [/(^|[_\s.])minutes?$/i, 0, 59, 60],
  [/week_?day|day_?of_?week|^dow$/i, 0, 7, 7],
  [/angle|bearing|azimuth|heading|(wind|wave)_?dir|direction|degrees/i, 0, 360, 360],
];

/** The values of a column of numbers. */
interface Numbers {
  readonly name: string;
  readonly gaps: boolean;
  readonly type: "number" | "integer";
  /** All values. */
  readonly counted: ValueCounts;
  /** Codes for missing values. */
  readonly codes: readonly number[];
  /** The values without the codes. */
  readonly regular: ValueCounts;
  /** The number of decimals of all values, if they have at most 15. */
  readonly decimals: number | undefined;
  readonly period: { readonly period?: number };
}

/**
 * Chooses the kind of a column of numbers with at least two different values. Returns "labels" if the numbers are labels.
 *
 * Throws `DATA` or `ARGUMENT` if the values do not have the kind that is stated.
 */
export function numericColumn(
  { name, gaps, type }: Pick<Numbers, "name" | "gaps" | "type">,
  counted: ValueCounts,
  options: ColumnOptions,
): { readonly column: TableColumn } | { readonly excluded: string } | "labels" {
  const decimals = decimalsOf(counted.values);
  const codes = findMissingCodes(counted).map(({ value }) => value);
  const regular =
    codes.length < counted.values.length ? filterValues(counted, (x) => !codes.includes(x)) : counted;
  checkBounds(options, regular, name);
  const period = options.period ?? cyclicPeriod(name, regular);
  const areTooLarge = [counted.values[0], counted.values.at(-1)!].some(
    (value) => Math.abs(value) > MAX_INTEGER,
  );
  const numbers: Numbers = {
    name,
    gaps,
    type: areTooLarge ? "number" : decimals === 0 ? "integer" : type,
    counted,
    codes,
    regular,
    decimals,
    period: period === undefined ? {} : { period },
  };
  const { values, counts } = counted;
  const areBoundsStated = [options.low, options.high, options.period].some((stated) => stated !== undefined);
  const mayBeLabels =
    options.kind === undefined &&
    !areBoundsStated &&
    values.length <= MAX_NUMERIC_LABELS &&
    Math.min(...counts) >= MIN_ROWS_OF_NUMERIC_LABEL;
  const lattice = latticeColumn(numbers, options);
  if (!lattice) return mayBeLabels ? "labels" : continuousColumn(numbers, options);
  return mayBeLabels && lattice.type === "integer" && areSparse(regular, lattice)
    ? "labels"
    : { column: lattice };
}

/** Whether integers occupy few of the cells of a lattice between the smallest and the largest one, as codes such as 408, 415 and 510 do. */
function areSparse({ values }: ValueCounts, { step }: { readonly step: number }): boolean {
  const cells = Math.round((values[values.length - 1] - values[0]) / step) + 1;
  return values.length < MIN_SHARE_OF_CELLS * cells;
}

/**
 * The lattice of the values; undefined if they are not equally spaced or do not repeat, or if the lattice has too many cells. If the user
 * states the kind, values without a lattice are an error.
 */
function latticeColumn(
  numbers: Numbers,
  options: ColumnOptions,
): Extract<TableColumn, { kind: "lattice" }> | undefined {
  const { name, gaps, type, counted, regular, decimals, period } = numbers;
  const { kind } = options;
  const isStated = kind === "integer" || kind === "lattice";
  if (kind === "integer" && decimals !== 0) {
    throw new PushforwardError("ARGUMENT", `column "${name}" cannot be integer`, {
      received: `the value ${counted.values.find((value) => !Number.isInteger(value))}`,
      hint: `State the kind continuous or lattice.`,
    });
  }
  const step = decimals === undefined ? undefined : latticeSpacing(counted.values, decimals);
  if (decimals === undefined || step === undefined) {
    if (!isStated) return undefined;
    throw new PushforwardError("ARGUMENT", `column "${name}" cannot be ${kind}`, {
      expected: "equally spaced values of at most 15 digits",
      hint: `State the kind continuous.`,
    });
  }
  const repeat = counted.values.length <= counted.rows / 2;
  if (!isStated && !((kind === undefined || kind === "cyclic") && (type === "integer" || repeat)))
    return undefined;
  const cycle = period.period === undefined ? {} : cycleOf(period.period, regular, step);
  const { first, cells } = latticeRange(step, counted, regular, withCycle(options, cycle));
  if (cells <= MAX_CELLS) {
    const positions = spacedRows(regular).map((value) => Math.round((value - first) / step));
    const endsAreValues = positions[0] === 0 && positions[positions.length - 1] === cells - 1;
    // Cell 0 begins at -1/2 and the last one ends at cells - 1/2, where these scales are finite.
    const scales: ValueScale[] = [
      { type: "linear" },
      { type: "log", low: -1 },
      ...(endsAreValues ? [{ type: "logit" as const, low: -1, high: cells }] : []),
    ];
    const scale = chooseScale(positions, scales, { width: 1 });
    return { kind: "lattice", name, type, gaps, first, cells, step, decimals, scale, ...period };
  }
  if (!isStated) return undefined;
  throw new PushforwardError("ARGUMENT", `column "${name}" has too many values for a lattice`, {
    expected: `at most ${MAX_CELLS} cells`,
    received: `${cells} cells with the step ${step} (the lattice extends beyond the values by their range)`,
    hint: `State the kind continuous: samples are rounded to the decimals of the data.`,
  });
}

function continuousColumn(
  { name, gaps, type, counted, codes, regular, decimals, period }: Numbers,
  options: ColumnOptions,
): { readonly column: TableColumn } | { readonly excluded: string } {
  const { values } = counted;
  const cycle = period.period === undefined ? {} : cycleOf(period.period, regular, 0);
  const bounds = boundsOf(withCycle(options, cycle), regular, name);
  const { low, high } = bounds;
  const isCircle =
    low !== undefined &&
    high !== undefined &&
    high - low === period.period &&
    // Where both bounds occur, they may differ in meaning: 360 is the north, and 0 is calm air.
    !regular.values.includes(high) &&
    // The feature of such a code would equal that of the value one period below it.
    !codes.some((code) => code > high && code <= high + period.period!);
  const cut = isCircle ? cutOf(regular, low, high) : undefined;
  const center = cut ?? low ?? high ?? quantile(regular, 0.5);
  const range = Math.max(center - values[0], values[values.length - 1] - center);
  if (range > MAX_NUMBER) return { excluded: `numbers with a range above ${MAX_NUMBER}: divide them` };
  if (range < MIN_NUMBER) return { excluded: `numbers with a range below ${MIN_NUMBER}: multiply them` };
  const outside = codes.filter((code) => isOutside(bounds, code));
  return {
    column: {
      kind: "continuous",
      name,
      type,
      gaps,
      center,
      ...bounds,
      ...(outside.length > 0 && { codes: outside }),
      scale: isCircle
        ? { type: "logit", low: 0, high: period.period! }
        : continuousScale(bounds, center, regular, options),
      ...(decimals !== undefined && { decimals }),
      ...period,
      ...(cut !== undefined && { cut }),
    },
  };
}

/** A circle is cut in the widest of the arcs that each contain 1/32 of the different values, because values are rarest there. */
const ARCS_OF_CIRCLE = 32;
/** The cut divides the widest gap of this arc in an irrational ratio, so that no rounded value is at the cut. */
const RATIO_OF_CUT = (Math.sqrt(5) - 1) / 2;

/**
 * Where to cut a circle, on which `low` and `high` are the same point, to get an interval. The cut is where values are rare, because the
 * density that a model learns is least accurate near the ends of the interval.
 */
function cutOf({ values }: ValueCounts, low: number, high: number): number {
  const inside = Array.from(values.filter((value) => value >= low && value < high));
  const period = high - low;
  const n = inside.length;
  const at = (i: number) => inside[i % n] + (i >= n ? period : 0);
  const size = Math.min(n, Math.ceil(n / ARCS_OF_CIRCLE));
  const widest = (starts: readonly number[], length: number) =>
    starts.reduce((best, i) => (at(i + length) - at(i) > at(best + length) - at(best) ? i : best));
  const arc = widest([...inside.keys()], size);
  const gapsOfArc = Array.from({ length: size }, (_, i) => arc + i);
  const gap = widest(gapsOfArc, 1);
  const cut = at(gap) + RATIO_OF_CUT * (at(gap + 1) - at(gap));
  return cut < high ? cut : cut - period;
}

/** The scale of the values minus `center` inside the bounds. */
function continuousScale(
  { low, high }: Bounds,
  center: number,
  regular: ValueCounts,
  { kind }: ColumnOptions,
): ValueScale {
  if (low !== undefined && high !== undefined)
    return { type: "logit", low: low - center, high: high - center };
  if (low !== undefined) return { type: "log", low: low - center };
  if (high !== undefined) return { type: "reversedLog", high: high - center };
  const heavy: ValueScale = { type: "asinh", unit: unitOf(regular) };
  const range = regular.values[regular.values.length - 1] - regular.values[0];
  if (kind === "heavy-tailed" || !allowsLinearScale(range)) return heavy;
  return chooseScale(
    spacedRows(regular).map((value) => value - center),
    [{ type: "linear" }, heavy],
  );
}

/** The interquartile range of the values; if it is 0, the range between outer quantiles. */
function unitOf(counted: ValueCounts): number {
  const width = (tail: number) => quantile(counted, 1 - tail) - quantile(counted, tail);
  const unit = [0.25, 0.05, 0.01, 0].map(width).find((each) => each > 0);
  return Math.min(MAX_NUMBER, Math.max(MIN_NUMBER, unit ?? 1));
}

/** The values of all rows, or of evenly spaced ones, in ascending order. */
function spacedRows({ values, counts, rows }: ValueCounts): number[] {
  const stride = Math.max(1, rows / MAX_ROWS_FOR_SCALE);
  const out: number[] = [];
  let end = 0;
  for (const [i, value] of values.entries()) {
    end += counts[i];
    while (out.length * stride < end) out.push(value);
  }
  return out;
}

/**
 * The bounds of the cycle of period P that contains all values: 0 to P, 0 to P - step, or step to P. There are none if the values span
 * several cycles.
 */
function cycleOf(period: number, { values }: ValueCounts, step: number): Bounds {
  const [minimum, maximum] = [values[0], values[values.length - 1]];
  if (minimum < 0 || maximum > period) return {};
  if (maximum < period) return { low: 0, high: period - step };
  return { low: minimum < step ? 0 : step, high: period };
}

/** The options with the bounds of a cycle where none are stated. */
const withCycle = (options: ColumnOptions, { low, high }: Bounds): ColumnOptions => ({
  ...options,
  low: options.low ?? low,
  high: options.high ?? high,
});

function cyclicPeriod(name: string, { values }: ValueCounts): number | undefined {
  const [minimum, maximum] = [values[0], values[values.length - 1]];
  return CYCLIC_NAMES.find(
    ([pattern, low, high]) =>
      pattern.test(name) && minimum >= low && maximum <= high && maximum > low + 0.5 * (high - low),
  )?.[3];
}
