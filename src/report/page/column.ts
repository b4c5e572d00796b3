import { percent } from "../../check/index.ts";
import type { TableColumn } from "../../tables/columns/index.ts";
import type { ComparedRows } from "../../tables/evaluate/index.ts";
import { axis, axisRange, type Range } from "../axis.ts";
import { sortFinite } from "../sortFinite.ts";

/** The values of a column in real and generated rows, for the figures of a page. NaN is a missing value. */
export interface PageColumn {
  readonly name: string;
  readonly real: Float64Array;
  readonly generated: Float64Array;
  /** The labels of a categorical column; undefined for numbers, dates and times. */
  readonly labels: readonly string[] | undefined;
  /** The range of the axis, and the distance of neighboring values of a lattice, 0 for real numbers; undefined for labels. */
  readonly scale: { readonly range: Range; readonly step: number; readonly isTime: boolean } | undefined;
}

/** The columns that vary, with the ranges of their axes, which contain the real values without outliers. */
export function pageColumns(
  table: readonly TableColumn[],
  [real, generated]: readonly ComparedRows[],
): PageColumn[] {
  return real.columns.map(({ name, labels, values }, c) => {
    const column = table.find((each) => each.name === name)!;
    const sorted = sortFinite(values);
    const step = column.kind === "lattice" ? column.step : 0;
    const range = sorted.length > 0 ? axisRange(sorted) : ([0, 1] as const);
    return {
      name,
      real: values,
      generated: generated.columns[c].values,
      labels,
      scale: labels ? undefined : { range, step, isTime: column.kind === "time" },
    };
  });
}

/** Options of Plot for the axis of a column of numbers, dates or times, with round ticks, and the factor of the tick labels. */
export function axisOf({ name, scale }: PageColumn, pixels: number, direction: "horizontal" | "vertical") {
  const { range, isTime } = scale!;
  const time = { type: "utc", domain: range, ticks: Math.max(2, Math.floor(pixels / 70)) } as const;
  if (isTime) return { scale: time, ticks: undefined, factor: "" };
  const numbers = axis(name, range);
  const texts = new Map(numbers.ticks(direction, pixels, 11).map(({ value, text }) => [value, text]));
  return {
    scale: { domain: range },
    ticks: { ticks: [...texts.keys()], tickFormat: (value: number) => texts.get(value) ?? "" },
    factor: numbers.factor,
  };
}

/** The share of missing values in words; empty if there are none. */
export function missingText({ real, generated }: PageColumn): string {
  const shares = [real, generated].map((values) => values.filter(Number.isNaN).length / values.length);
  if (shares[0] === 0 && shares[1] === 0) return "";
  return `Missing: ${percent(shares[0])} of the real values, ${percent(shares[1])} of the generated ones.`;
}
