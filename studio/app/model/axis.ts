import type { TableRow } from "pushforward";
import { withMinus } from "../views/format.ts";
import { ticksBetween } from "../views/ticks.ts";
import type { ModelColumn, Value } from "./messages.ts";

/** The positions of the values of a column along a line. */
export interface Axis {
  readonly range: readonly [number, number];
  readonly ticks: readonly { readonly at: number; readonly text: string }[];
  /** The position of a value; NaN if it is missing. */
  place(value: Value | undefined): number;
}

/** This share of the values may lie beyond each end: otherwise one outlier would leave no room for the other values. */
const OUTSIDE = 0.004;
const MAX_LABELS = 12;

/** An axis for the values that a column has in some rows. Labels have integers from 0. */
export function axisOf({ name, kind, labels, lattice }: ModelColumn, rows: readonly TableRow[]): Axis {
  if (kind === "label") {
    const index = new Map(labels.map((label, i) => [label, i]));
    const stride = Math.ceil(labels.length / MAX_LABELS);
    return {
      range: [-0.6, Math.max(0.6, labels.length - 0.4)],
      ticks: labels.flatMap((label, at) => (at % stride === 0 ? [{ at, text: `${label}` }] : [])),
      place: (value) => index.get(value as Value) ?? Number.NaN,
    };
  }
  const place = kind === "time" ? timeOf : numberOf;
  const sorted = Float64Array.from(rows, (row) => place(row[name]))
    .filter(Number.isFinite)
    .sort();
  const quantile = (share: number) => sorted[Math.round(share * (sorted.length - 1))] ?? 0;
  const [low, high] = [quantile(OUTSIDE), quantile(1 - OUTSIDE)];
  const margin = 0.05 * (high - low) || lattice?.step || Math.abs(low) / 2 || 1;
  const range = [low - margin, high + margin] as const;
  return { range, ticks: kind === "time" ? timeTicks(range) : numberTicks(range), place };
}

/** The values of a number that a slider offers: those within its axis that the column can have. */
export function sliderOf({ lattice }: ModelColumn, { range: [low, high] }: Axis) {
  if (!lattice) return { min: low, max: high, step: (high - low) / 200 };
  const { first, step, last } = lattice;
  const min = first + step * Math.max(0, Math.ceil((low - first) / step));
  return { min, max: Math.min(high, last), step };
}

const numberOf = (value: Value | undefined): number => (typeof value === "number" ? value : Number.NaN);

/** Dates and timestamps in milliseconds since 1970, times of the day since midnight. Without a zone they are UTC. */
function timeOf(value: Value | undefined): number {
  if (typeof value !== "string") return Number.NaN;
  if (/^\d\d:/.test(value)) return Date.parse(`1970-01-01T${value}Z`);
  if (/^\d{4}-\d\d-\d\d$/.test(value)) return Date.parse(value);
  const text = value.replace(" ", "T");
  return Date.parse(/(Z|[-+]\d\d:?\d\d)$/.test(text) ? text : `${text}Z`);
}

const TICKS = 4;

const numberTicks = (range: Axis["range"]): Axis["ticks"] =>
  ticksBetween(...range, TICKS).map((at) => ({ at, text: numberText(at) }));

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const YEAR = 365.2425 * DAY;

/** Ticks at the beginning of years or days if the range has several, or else at times of the day. */
function timeTicks([low, high]: Axis["range"]): Axis["ticks"] {
  if (high - low > 1500 * DAY)
    return ticksBetween(1970 + low / YEAR, 1970 + high / YEAR, TICKS).map((year) => ({
      at: new Date(0).setUTCFullYear(year, 0, 1),
      text: String(year),
    }));
  const [unit, from, to] = high - low > 2 * DAY ? [DAY, 0, 10] : [HOUR, 11, 16];
  const midnight = Math.floor(low / DAY) * DAY;
  return ticksBetween((low - midnight) / unit, (high - midnight) / unit, TICKS).map((k) => {
    const at = midnight + k * unit;
    return { at, text: new Date(at).toISOString().slice(from, to) };
  });
}

/** A number in few characters. */
export const numberText = (value: number): string =>
  withMinus(
    Math.abs(value) >= 10_000
      ? value.toLocaleString("en", { notation: "compact", maximumFractionDigits: 2 })
      : String(Number(value.toPrecision(4))),
  );

/** 1/p and 1/p², where p³ = p + 1. */
const R2_STEPS = [0.754_877_666_246_693, 0.569_840_290_998_053] as const;

/**
 * A number between -0.5 and 0.5 for each row and coordinate, so that rows with the same labels do not cover each other: the
 * two-dimensional low-discrepancy sequence R2 (Roberts 2018).
 */
export const jitter = (row: number, coordinate: number): number => ((row * R2_STEPS[coordinate]!) % 1) - 0.5;
