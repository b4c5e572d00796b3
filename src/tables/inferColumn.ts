import { countValues, quantile, type ValueCounts } from "../columns/columnValues.ts";
import { findMissingCodes } from "../columns/missingCodes.ts";
import type { ValueScale } from "../distributions/heads/valueScale.ts";
import { PushforwardError } from "../errors.ts";
import { chooseScale } from "./chooseScale.ts";
import type { ColumnKind, ColumnOptions } from "./columnOptions.ts";
import type { RawColumn, TableColumn } from "./tableColumn.ts";
import { timeParts } from "./timeParts.ts";
import { typedText } from "./typedText.ts";

/** A column as it was inferred, or why it is left out. */
export type InferredColumn = { readonly column: TableColumn } | { readonly excluded: string };

/** Text columns with more different values are left out. */
export const MAX_LABELS = 2000;
/** A column whose values differ in at least this fraction of the rows identifies rows. */
const MIN_SHARE_OF_IDS = 0.95;
/** Smaller tables say too little about whether values repeat. */
const MIN_ROWS_FOR_IDS = 20;
/** The largest lattice; see `MAX_CELLS` of the lattice head. */
const MAX_CELLS = 2 ** 17;
/** A bound is a hard one if at least this many rows, and this fraction of them, are exactly there. */
const MIN_ROWS_AT_BOUND = 10;
const MIN_SHARE_AT_BOUND = 0.005;
/** Fewer rows say too little about what values are possible. */
const MIN_ROWS_FOR_BOUNDS = 20;
const PERCENTAGE_NAME = /percent|pct|%|humidity/i;
/** Irregular numbers are labels if there are at most this many different ones, each in at least this many rows. */
const MAX_NUMERIC_LABELS = 64;
const MIN_ROWS_OF_NUMERIC_LABEL = 5;

const NUMERIC_KINDS: readonly ColumnKind[] = ["continuous", "integer", "lattice", "categorical"];

const ID_NAME = /(^|[_\s.-])(id|ids|key|uuid|guid|no|nr|idx|index|row|number|code)$|[a-z](Id|ID|Key|No)$/i;

/** Periods of numbers by the names of their columns, with the smallest and the largest value. */
const CYCLIC_NAMES: readonly (readonly [name: RegExp, low: number, high: number, period: number])[] = [
  [/(^|[_\s.])hours?$|^hour/i, 0, 23, 24],
  [/(^|[_\s.])months?$|^month/i, 1, 12, 12],
  [/(^|[_\s.])minutes?$/i, 0, 59, 60],
  [/week_?day|day_?of_?week|^dow$/i, 0, 7, 7],
  [/angle|bearing|azimuth|heading|(wind|wave)_?dir|direction|degrees/i, 0, 360, 360],
];

/** Chooses the kind of a column by its type, its values and the options of the user. */
export function inferColumn(raw: RawColumn, options: ColumnOptions = {}): InferredColumn {
  const { name, type, values } = raw;
  if (options.kind === "exclude") return { excluded: "as requested" };
  const present = values.filter((value) => !Number.isNaN(value)).sort();
  const gaps = present.length < values.length;
  const counted = countValues(present);
  if (counted.values.length === 0)
    return { column: { kind: "constant", name, type, gaps: false, value: null } };
  if (options.kind === "constant")
    checkKind(raw, options, counted.values.length === 1 && !gaps ? ["constant"] : []);
  if (counted.values.length === 1 && !gaps) {
    const [only] = counted.values as [number];
    return { column: { kind: "constant", name, type, gaps: false, value: textOf(raw, only) } };
  }
  if (type === "text" || type === "boolean" || options.kind === "categorical" || counted.values.length === 1)
    return categorical(raw, counted, gaps, options);
  if (type === "date" || type === "timestamp" || type === "time") {
    checkKind(raw, options, [type, "categorical"]);
    return { column: { kind: "time", name, type, gaps, ...timeParts(type, values) } };
  }
  return numeric(raw, counted, gaps, options);
}

/** The value of a column as text. */
const textOf = ({ type, labels }: RawColumn, value: number): string =>
  type === "text" ? labels![value] : typedText(type, value);

function checkKind({ name, type }: RawColumn, { kind }: ColumnOptions, allowed: readonly string[]): void {
  if (kind === undefined || allowed.includes(kind)) return;
  throw new PushforwardError("ARGUMENT", `column "${name}" cannot be ${kind}`, {
    expected: [...allowed, "exclude"].join(" or "),
    received: `values of the type ${type}`,
    hint: "State another kind, or convert the column in a query.",
  });
}

/** Why text is left out of a model; undefined if its values are labels. */
export function textExclusion({
  distinct,
  rows,
  isExact = true,
}: {
  readonly distinct: number;
  readonly rows: number;
  /** Whether `distinct` is exact. */
  readonly isExact?: boolean;
}): string | undefined {
  const count = `${isExact ? "" : "about "}${distinct}`;
  if (rows >= MIN_ROWS_FOR_IDS && distinct >= MIN_SHARE_OF_IDS * rows)
    return `text whose values are nearly all different (${count} in ${rows} rows)`;
  return distinct > MAX_LABELS ? `text with ${count} different values` : undefined;
}

function categorical(
  raw: RawColumn,
  { values, counts, rows }: ValueCounts,
  gaps: boolean,
  options: ColumnOptions,
): InferredColumn {
  const { name, type } = raw;
  const isText = type === "text";
  if (isText || type === "boolean")
    checkKind(raw, options, isText ? ["categorical"] : ["boolean", "categorical"]);
  if (isText && options.kind === undefined) {
    const reason = textExclusion({ distinct: values.length, rows });
    if (reason !== undefined) return { excluded: reason };
  }
  // The most frequent label first; of equally frequent ones the first in alphabetical or numerical order.
  const order = values.map((_, i) => i);
  const texts = values.map((value) => textOf(raw, value));
  if (isText) order.sort((a, b) => counts[b] - counts[a] || (texts[a] < texts[b] ? -1 : 1));
  return { column: { kind: "categorical", name, type, gaps, labels: order.map((i) => texts[i]) } };
}

function numeric(
  raw: RawColumn,
  counted: ValueCounts,
  gaps: boolean,
  options: ColumnOptions,
): InferredColumn {
  const { name, values: all } = raw;
  const { values, rows } = counted;
  if (
    options.kind === "boolean" ||
    options.kind === "date" ||
    options.kind === "timestamp" ||
    options.kind === "time"
  )
    checkKind(raw, options, NUMERIC_KINDS);
  const decimals = decimalsOf(values);
  const type = raw.type === "integer" || decimals === 0 ? "integer" : "number";
  if (options.kind === undefined && type === "integer") {
    const reason = rowIdentifier(name, all, counted);
    if (reason) return { excluded: reason };
  }
  const codes = findMissingCodes(counted).map(({ value }) => value);
  const regular = countedWithout(counted, codes);
  const period = options.period ?? cyclicPeriod(name, regular);
  const withPeriod = period !== undefined && { period };
  const isLattice = options.kind === "integer" || options.kind === "lattice";
  if (options.kind === "integer" && decimals !== 0) {
    throw new PushforwardError("ARGUMENT", `column "${name}" cannot be integer`, {
      received: `the value ${values.find((value) => !Number.isInteger(value))}`,
      hint: `Use ${name}=continuous or ${name}=lattice.`,
    });
  }
  const spacing = decimals === undefined ? undefined : latticeSpacing(values, decimals);
  const mayBeLattice = options.kind === undefined || options.kind === "cyclic" || isLattice;
  if (spacing && mayBeLattice && (isLattice || type === "integer" || values.length <= rows / 2)) {
    const cells = latticeRange(spacing, counted, regular, options);
    if (cells.cells <= MAX_CELLS) {
      const { first } = cells;
      const positions = sortedRows(regular).map((value) => Math.round((value - first) / spacing));
      // The first cell is 0, and its lower edge -1/2.
      const scale = chooseScale(positions, [{ type: "linear" }, { type: "log", low: -1 }], { width: 1 });
      const numbers = { ...cells, step: spacing, decimals: decimals!, scale, ...withPeriod };
      return { column: { kind: "lattice", name, type, gaps, ...numbers } };
    }
    if (isLattice) {
      throw new PushforwardError("ARGUMENT", `column "${name}" has too many values for a lattice`, {
        expected: `at most ${MAX_CELLS}, a third of them between its smallest and its largest value`,
        received: `${cells.cells} with the step ${spacing}`,
        hint: `Use ${name}=continuous: samples are rounded to the decimals of the data.`,
      });
    }
  }
  const areLabels =
    values.length <= MAX_NUMERIC_LABELS && Math.min(...counted.counts) >= MIN_ROWS_OF_NUMERIC_LABEL;
  if (options.kind === undefined && areLabels) return categorical(raw, counted, gaps, options);
  const bounds = boundsOf(options, regular, name);
  const center = bounds.low ?? bounds.high ?? quantile(regular, 0.5);
  const scale = continuousScale(bounds, center, regular, options);
  const column: TableColumn = { kind: "continuous", name, type, gaps, center, ...bounds, scale };
  const outside = codes.filter((code) => isOutside(bounds, code));
  return {
    column: {
      ...column,
      ...(outside.length > 0 && { codes: outside }),
      ...(decimals !== undefined && { decimals }),
      ...withPeriod,
    },
  };
}

const isOutside = ({ low, high }: { low?: number; high?: number }, value: number): boolean =>
  (low !== undefined && value < low) || (high !== undefined && value > high);

/** The values of all rows, in ascending order. */
const sortedRows = ({ values, counts }: ValueCounts): number[] =>
  values.flatMap((value, i) => new Array<number>(counts[i]).fill(value));

/** The scale of the values minus `center` inside the bounds. */
function continuousScale(
  { low, high }: { low?: number; high?: number },
  center: number,
  regular: ValueCounts,
  { kind }: ColumnOptions,
): ValueScale {
  const inside = sortedRows(regular).filter((value) => value !== low && value !== high);
  if (low !== undefined && high !== undefined)
    return { type: "logit", low: low - center, high: high - center };
  if (low !== undefined) return { type: "log", low: low - center };
  if (high !== undefined) return { type: "reversedLog", high: high - center };
  const unit = quantile(regular, 0.75) - quantile(regular, 0.25) || 1;
  const heavy: ValueScale = { type: "asinh", unit };
  if (kind === "heavy-tailed") return heavy;
  return chooseScale(
    inside.map((value) => value - center),
    [{ type: "linear" }, heavy],
  );
}

const countedWithout = ({ values, counts }: ValueCounts, codes: readonly number[]): ValueCounts => {
  const kept = values.flatMap((value, i) => (codes.includes(value) ? [] : [i]));
  if (kept.length === 0) return { values, counts, rows: counts.reduce((a, b) => a + b, 0) };
  return {
    values: kept.map((i) => values[i]),
    counts: kept.map((i) => counts[i]),
    rows: kept.reduce((sum, i) => sum + counts[i], 0),
  };
};

/** Why integers look like the numbers of rows; undefined if they do not. */
function rowIdentifier(name: string, all: Float64Array, { values, rows }: ValueCounts): string | undefined {
  if (rows < MIN_ROWS_FOR_IDS || values.length < MIN_SHARE_OF_IDS * rows) return undefined;
  const range = values[values.length - 1] - values[0] + 1;
  const isDense = range <= 1.05 * rows;
  const isAscending = all.every((value, n) => n === 0 || value > all[n - 1]);
  const what = `integers that are nearly all different (${values.length} in ${rows} rows)`;
  if (isDense) return `${what} and leave no gaps, like row numbers`;
  if (ID_NAME.test(name) && (isAscending || range > 20 * rows))
    return `${what}, with the name of an identifier`;
  return undefined;
}

/** The smallest number of decimals with which all values are written exactly, at most 15; undefined if there is none. */
function decimalsOf(values: readonly number[]): number | undefined {
  let decimals = 0;
  for (const value of values) {
    while (decimals <= 15 && Number(value.toFixed(decimals)) !== value) decimals++;
    if (decimals > 15) return undefined;
  }
  return decimals;
}

/** The largest step of which all differences are multiples. */
function latticeSpacing(values: readonly number[], decimals: number): number | undefined {
  const unit = 10 ** decimals;
  const first = Math.round(values[0] * unit);
  let step = 0;
  for (const value of values) {
    const scaled = Math.round(value * unit);
    if (!Number.isSafeInteger(scaled)) return undefined;
    for (let a = Math.abs(scaled - first), b = step; ; ) {
      if (a === 0) {
        step = b;
        break;
      }
      [a, b] = [b % a, a];
    }
  }
  return Number((step / unit).toFixed(decimals));
}

/**
 * The first value and the number of cells of a lattice. Beyond a bound at which few rows are, the lattice goes on by the range of the
 * values, so that larger values in new rows have a small probability and not 0. Numbers that are never negative stay so.
 */
function latticeRange(
  step: number,
  { values }: ValueCounts,
  regular: ValueCounts,
  { low, high }: ColumnOptions,
): { first: number; cells: number } {
  const minimum = regular.values[0];
  const maximum = regular.values[regular.values.length - 1];
  const range = Math.max(1, Math.round((maximum - minimum) / step));
  const before = isHardBound(regular, 0)
    ? 0
    : minimum >= 0
      ? Math.min(range, Math.floor(minimum / step))
      : range;
  const after = isHardBound(regular, regular.values.length - 1) ? 0 : range;
  const round = (value: number) => Math.round((value - minimum) / step);
  const start = Math.min(round(values[0]), low === undefined ? -before : Math.ceil((low - minimum) / step));
  const end = Math.max(
    round(values[values.length - 1]),
    high === undefined ? range + after : Math.floor((high - minimum) / step),
  );
  return { first: minimum + start * step, cells: end - start + 1 };
}

const isHardBound = ({ counts, rows }: ValueCounts, i: number): boolean =>
  counts[i] >= Math.max(MIN_ROWS_AT_BOUND, MIN_SHARE_AT_BOUND * rows);

/** The bounds that a user states, or those that the values suggest: 0, from 0 to 1, or for percentages from 0 to 100. */
function boundsOf(
  { kind, low: statedLow, high }: ColumnOptions,
  regular: ValueCounts,
  name: string,
): { low?: number; high?: number } {
  const low = statedLow ?? (kind === "positive" ? 0 : undefined);
  const minimum = regular.values[0];
  const maximum = regular.values[regular.values.length - 1];
  if ((low !== undefined && minimum < low) || (high !== undefined && maximum > high)) {
    throw new PushforwardError("DATA", `column "${name}" has values outside its bounds`, {
      expected: `values from ${low ?? "-Infinity"} to ${high ?? "Infinity"}`,
      received: `values from ${minimum} to ${maximum}`,
      hint: "Correct the bounds, or leave such rows out in a query.",
    });
  }
  if (low !== undefined || high !== undefined)
    return { ...(low !== undefined && { low }), ...(high !== undefined && { high }) };
  if (kind === "heavy-tailed" || kind === "continuous" || regular.rows < MIN_ROWS_FOR_BOUNDS) return {};
  if (minimum < 0 || minimum > 0.1 * quantile(regular, 0.5)) return {};
  if (maximum <= 1 && maximum > 0.95) return { low: 0, high: 1 };
  const mayBePercentage = PERCENTAGE_NAME.test(name) ? maximum <= 100 && maximum > 20 : maximum === 100;
  return mayBePercentage ? { low: 0, high: 100 } : { low: 0 };
}

function cyclicPeriod(name: string, { values }: ValueCounts): number | undefined {
  const [minimum, maximum] = [values[0], values[values.length - 1]];
  return CYCLIC_NAMES.find(
    ([pattern, low, high]) =>
      pattern.test(name) && minimum >= low && maximum <= high && maximum > low + 0.5 * (high - low),
  )?.[3];
}
