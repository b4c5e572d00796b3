import { PushforwardError } from "../errors.ts";
import { axis, type Range } from "./axis.ts";
import { type Column, type DataAndSamples, readColumns, shareBeyond, thin } from "./columns.ts";
import { cells, kernelLogDensity, type LogDensity, type LogDensityGrid } from "./contours.ts";
import {
  type Bar,
  contours,
  densityCurve,
  drawPanel,
  type Frame,
  filled,
  histogram,
  outlined,
  points,
  room,
  tallest,
} from "./panels.ts";
import { type Canvas, composeSheet, openCanvas, type Sheet } from "./sheet.ts";
import { style } from "./style.ts";

/** Options of `pairFigure`. */
export interface PairFigureOptions extends DataAndSamples {
  /** The line above the panels. */
  title?: string;
  /** Columns to draw, in this order; the first six by default. */
  show?: readonly string[];
  /** The model's exact log-density where D is 1 or 2, at the nodes of `densityNodes`. */
  logDensity?: LogDensity;
}

/** A sheet whose caption is yet to be written, around a note on the contours. */
type Drawing = Omit<Sheet, "title" | "caption"> & { note?: string };

const mostColumns = 6;
const exactMasses = [0.1, 0.3, 0.5, 0.7, 0.9, 0.99];
const kernelMasses = [0.3, 0.6, 0.9];

/**
 * Data beside samples of the model, as an SVG document.
 *
 * One column: its histogram under the exact density. Two: data and samples side by side on the same axes, both under
 * the contours of the exact density. More: a matrix with data below the diagonal, samples above it, contours of the
 * samples' kernel density in both, and histograms on the diagonal. Without `logDensity`, samples stand in for it.
 * Axes come from the data, and one outlier does not stretch them; the caption says what lies beyond. Panels show at
 * most 3000 points (1500 in a matrix); contours and histograms use all. The same input gives the same string.
 *
 * @throws PushforwardError `SHAPE`, `ARGUMENT`, `DATA` or `NUMERIC` for arrays that cannot be drawn.
 */
export async function pairFigure(figure: PairFigureOptions): Promise<string> {
  const { columns, logDensity, title = "Data and samples of the model" } = figure;
  const shown = readColumns(figure, figure.show ?? columns.slice(0, mostColumns));
  checkLogDensity(logDensity, columns.length);
  const canvas = await openCanvas();
  const whole =
    shown.length === columns.length && shown.every((column, j) => column.axis.name === columns[j]);
  const exact = whole ? logDensity : undefined;
  const [first, second] = shown as [Column, Column | undefined];
  let drawing: Drawing;
  if (shown.length > 2) drawing = matrix(canvas, shown);
  else if (second) drawing = sideBySide(canvas, first, second, exact as LogDensityGrid | undefined);
  else drawing = oneColumn(canvas, first, exact);
  return composeSheet({ ...drawing, title, caption: writeCaption(shown, columns.length, drawing.note) });
}

/**
 * Where to evaluate a model's log-density for `pairFigure`: `size` nodes on each of the one or two axes that the
 * figure will have. `points` is `[size, 1]` or `[size * size, 2]`, row by row in the order of `logDensity.values`.
 */
export function densityNodes({ columns, data }: Pick<DataAndSamples, "columns" | "data">, size = 160) {
  const axes = readColumns({ columns, data, samples: data }, columns.slice(0, 2));
  const [x, y] = axes.map((column) => cells(column.axis.range, size).centres) as [
    Float64Array,
    Float64Array?,
  ];
  const points = y ? Float64Array.from([...y].flatMap((v) => [...x].flatMap((u) => [u, v]))) : x;
  return { x, y, points };
}

function checkLogDensity(logDensity: LogDensity | undefined, dimensions: number): void {
  if (!logDensity) return;
  const { x, y, values } = logDensity;
  if (dimensions !== (y ? 2 : 1) || x.length < 2 || values.length !== x.length * (y?.length ?? 1)) {
    throw new PushforwardError("SHAPE", "The grid of log-densities does not fit the columns", {
      expected: "x and values for one column; x, y and x.length * y.length values for two; none for more",
      received: `${dimensions} columns, x of ${x.length}, y of ${y?.length ?? 0} and ${values.length} values`,
      hint: "Evaluate the log-density at the points of densityNodes.",
    });
  }
  const bad = values.find((value) => Number.isNaN(value) || value === Number.POSITIVE_INFINITY);
  if (bad !== undefined) {
    const expected = "finite numbers, or -Infinity outside the support";
    throw new PushforwardError("NUMERIC", "The grid holds a log-density that is none", {
      expected,
      received: `${bad}`,
    });
  }
}

function oneColumn(canvas: Canvas, { data, samples, axis: x, bins }: Column, exact?: LogDensity): Drawing {
  const frame = { left: room.left, top: 6, width: 560, height: 270 };
  const [bars, drawn] = [data, samples].map((values) => histogram(values, x.range, bins)) as [Bar[], Bar[]];
  const modelPeak = exact
    ? exact.values.reduce((peak, value) => Math.max(peak, Math.exp(value)), 0)
    : tallest(drawn);
  const peak = Math.max(tallest(bars), Math.min(modelPeak, 2 * tallest(bars)));
  const y = axis("density", [0, 1.08 * peak]);
  const name = `data and ${exact ? "density" : "samples"}: ${x.name}`;
  const panel = drawPanel(canvas, { name, frame, x, y, write: { x: true, y: true } }, [
    filled(canvas, bars, 0, style.data),
    exact ? densityCurve(canvas, exact, style.model) : outlined(canvas, drawn, style.model),
  ]);
  return {
    width: frame.left + frame.width + room.right,
    bodyHeight: frame.top + frame.height + room.bottom,
    panels: [panel],
    legend: [
      { text: "data", color: style.data, mark: "area" },
      { text: exact ? "the model's exact density" : "samples", color: style.model, mark: "line" },
    ],
  };
}

function sideBySide(canvas: Canvas, x: Column, y: Column, exact?: LogDensityGrid): Drawing {
  const [side, gap, top] = [312, 26, 26];
  const grid = exact ?? kernelLogDensity(x, y);
  const masses = exact ? exactMasses : kernelMasses;
  const frames = [0, side + gap].map((shift) => ({
    left: room.left + shift,
    top,
    width: side,
    height: side,
  }));
  return {
    width: room.left + 2 * side + gap + room.right,
    bodyHeight: top + side + room.bottom,
    panels: [
      scatter(canvas, { table: "data", x, y, grid, masses, frame: frames[0]!, write: { x: true, y: true } }),
      scatter(canvas, {
        table: "samples",
        x,
        y,
        grid,
        masses,
        frame: frames[1]!,
        write: { x: true, y: false },
      }),
    ],
    labels: [
      { x: frames[0]!.left, y: top - 9, text: "Data", color: style.data, bold: true },
      { x: frames[1]!.left, y: top - 9, text: "Samples", color: style.model, bold: true },
    ],
    note: `Contours enclose ${percentages(masses)} of ${exact ? "the model's mass" : "the samples"}.`,
  };
}

function matrix(canvas: Canvas, columns: Column[]): Drawing {
  const [gap, top] = [10, 6];
  const side = Math.min(205, Math.floor((690 - gap * (columns.length - 1)) / columns.length));
  const drawn = columns.flatMap((y, i) =>
    columns.map((x, j) => {
      const frame = {
        left: room.left + j * (side + gap),
        top: top + i * (side + gap),
        width: side,
        height: side,
      };
      const write = { x: i === columns.length - 1, y: j === 0 };
      if (i === j) return bothHistograms(canvas, x, frame, write);
      const grid = kernelLogDensity(x, y);
      return scatter(canvas, {
        table: j > i ? "samples" : "data",
        x,
        y,
        grid,
        masses: kernelMasses,
        frame,
        write,
      });
    }),
  );
  const extent = columns.length * (side + gap) - gap;
  return {
    width: room.left + extent + room.right,
    bodyHeight: top + extent + room.bottom,
    panels: drawn,
    legend: [
      { text: "data, below the diagonal", color: style.data, mark: "dot" },
      { text: "samples, above the diagonal", color: style.model, mark: "dot" },
    ],
    note: `Contours enclose ${percentages(kernelMasses)} of the samples.`,
  };
}

interface Scatter {
  table: "data" | "samples";
  x: Column;
  y: Column;
  grid: LogDensityGrid;
  masses: readonly number[];
  frame: Frame;
  write: { x: boolean; y: boolean };
}

/** Small frames take smaller and fewer points. */
function scatter(canvas: Canvas, { table, x, y, grid, masses, frame, write }: Scatter) {
  const [most, radius] = frame.width >= 300 ? [3000, 1.4] : [1500, 0.9];
  const color = table === "data" ? style.data : style.model;
  const ranges: [Range, Range] = [x.axis.range, y.axis.range];
  const name = `${table}: ${x.axis.name}, ${y.axis.name}`;
  return drawPanel(canvas, { name, frame, x: x.axis, y: y.axis, write }, [
    points(canvas, [thin(x[table], most), thin(y[table], most)], ranges, { color, radius }),
    contours(canvas, grid, masses),
  ]);
}

/** Histograms scaled to fill the frame, whose vertical axis belongs to the other panels of its row. */
function bothHistograms(
  canvas: Canvas,
  { data, samples, axis: own, bins }: Column,
  frame: Frame,
  write: { x: boolean; y: boolean },
) {
  const [base, end] = own.range;
  const both = [data, samples].map((values) => histogram(values, own.range, Math.min(bins, 30)));
  const scale = (0.93 * (end - base)) / Math.max(...both.map(tallest));
  const [bars, drawn] = both.map((list) =>
    list.map((bar) => ({ ...bar, height: base + scale * bar.height })),
  );
  return drawPanel(canvas, { name: `histogram: ${own.name}`, frame, x: own, y: own, write }, [
    filled(canvas, bars!, base, style.data),
    outlined(canvas, drawn!, style.model),
  ]);
}

function writeCaption(shown: Column[], dimensions: number, note = ""): string {
  const count = (table: "data" | "samples") => shown[0]![table].length.toLocaleString("en-US");
  const beyond = (["data", "samples"] as const).map((table) => (100 * shareBeyond(shown, table)).toFixed(1));
  const part = shown.length < dimensions ? `, ${shown.length} of ${dimensions} columns` : "";
  const off = beyond.some((percent) => percent !== "0.0")
    ? ` (${beyond[0]} and ${beyond[1]}% off the axes)`
    : "";
  return `${count("data")} rows and ${count("samples")} samples${off}${part}. ${note}`.trimEnd();
}

/** `30, 60 and 90%` */
function percentages(masses: readonly number[]): string {
  const numbers = masses.map((mass) => Math.round(100 * mass));
  return `${numbers.slice(0, -1).join(", ")} and ${numbers.at(-1)}%`;
}
