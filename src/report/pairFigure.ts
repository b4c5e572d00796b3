import { anyValue, checkOptions, listOfTexts, PushforwardError, required, text } from "../check/index.ts";
import { axis, type Range } from "./axis.ts";
import { type Column, type DataAndSamples, fractionOutside, readColumns, subsample } from "./columns.ts";
import { cells, kernelLogDensity, type LogDensity, type LogDensityGrid } from "./contours.ts";
import {
  type Bar,
  contours,
  densityCurve,
  drawPanel,
  type Frame,
  filledHistogram,
  histogram,
  MARGINS,
  maxHeight,
  outlinedHistogram,
  points,
} from "./panels.ts";
import { type Canvas, composeSheet, openCanvas, type Sheet } from "./sheet.ts";
import { style } from "./style.ts";

/** Options of `pairFigure`. */
export interface PairFigureOptions extends DataAndSamples {
  /** The line above the panels. Default: Data and samples of the model. */
  title?: string | undefined;
  /** Columns to draw, in this order; the first six by default. */
  show?: readonly string[] | undefined;
  /** The model's exact log-density where D is 1 or 2, at the nodes of `densityNodes`. Default: estimated from the samples. */
  logDensity?: LogDensity | undefined;
}

/** A sheet without title and caption, with a sentence on the contours for the caption. */
type Drawing = Omit<Sheet, "title" | "caption"> & { note?: string };

const DEFAULT_MAX_COLUMNS = 6;
const EXACT_MASSES = [0.1, 0.3, 0.5, 0.7, 0.9, 0.99];
const KERNEL_MASSES = [0.3, 0.6, 0.9];

/**
 * Draws data and samples of a model as an SVG document.
 *
 * With one column it shows the histogram of the data and the exact density; with two columns, data and samples side by side with
 * contours of the exact density. With more columns it is a matrix: data below the diagonal, samples above it, both with contours
 * of the samples' kernel density, and histograms on the diagonal. Without `logDensity`, the density is estimated from the
 * samples.
 *
 * The axes are those of the data without outliers; the caption has the fraction of rows outside of them. Panels show at most 3000
 * points (1500 in a matrix); contours and histograms use all rows. Equal inputs give equal strings.
 *
 * @throws `SHAPE`, `ARGUMENT`, `DATA` or `NUMERIC` for arrays that cannot be drawn; `DEPENDENCY` if a package is not installed.
 */
export async function pairFigure(figure: PairFigureOptions): Promise<string> {
  checkOptions("pairFigure", figure, {
    columns: required(listOfTexts),
    data: required(anyValue),
    samples: required(anyValue),
    title: text,
    show: listOfTexts,
    logDensity: anyValue,
  });
  const { columns, logDensity, title = "Data and samples of the model" } = figure;
  const shown = readColumns(figure, figure.show ?? columns.slice(0, DEFAULT_MAX_COLUMNS));
  checkLogDensity(logDensity, columns.length);
  const canvas = await openCanvas();
  const showsAllColumns =
    shown.length === columns.length && shown.every((column, j) => column.axis.name === columns[j]);
  const exact = showsAllColumns ? logDensity : undefined;
  const [first, second] = shown as [Column, Column | undefined];
  let drawing: Drawing;
  if (shown.length > 2) drawing = matrix(canvas, shown);
  else if (second) drawing = sideBySide(canvas, first, second, exact as LogDensityGrid | undefined);
  else drawing = singleColumn(canvas, first, exact);
  return composeSheet({ ...drawing, title, caption: captionOf(shown, columns.length, drawing.note) });
}

/**
 * The nodes at which to evaluate a model's log-density for `pairFigure`: `size` on each of the one or two axes. `points`,
 * [size, 1] or [size * size, 2], has the nodes in row-major order, which is the order of `logDensity.values`.
 */
export function densityNodes({ columns, data }: Pick<DataAndSamples, "columns" | "data">, size = 160) {
  const axes = readColumns({ columns, data, samples: data }, columns.slice(0, 2));
  const [x, y] = axes.map((column) => cells(column.axis.range, size).centers) as [
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
    throw new PushforwardError("SHAPE", "the grid of log-densities does not match the columns", {
      expected: "x and values for one column; x, y and x.length * y.length values for two; none for more",
      received: `${dimensions} columns, x of ${x.length}, y of ${y?.length ?? 0} and ${values.length} values`,
      hint: "Evaluate the log-density at the points of densityNodes.",
    });
  }
  const bad = values.find((value) => Number.isNaN(value) || value === Number.POSITIVE_INFINITY);
  if (bad !== undefined) {
    const expected = "finite numbers, or -Infinity outside the support";
    throw new PushforwardError("NUMERIC", "the grid contains an invalid log-density", {
      expected,
      received: `${bad}`,
    });
  }
}

function singleColumn(canvas: Canvas, { data, samples, axis: x, bins }: Column, exact?: LogDensity): Drawing {
  const frame = { left: MARGINS.left, top: 6, width: 560, height: 270 };
  const [bars, drawn] = [data, samples].map((values) => histogram(values, x.range, bins)) as [Bar[], Bar[]];
  const modelPeak = exact
    ? exact.values.reduce((peak, value) => Math.max(peak, Math.exp(value)), 0)
    : maxHeight(drawn);
  const peak = Math.max(maxHeight(bars), Math.min(modelPeak, 2 * maxHeight(bars)));
  const y = axis("density", [0, 1.08 * peak]);
  const name = `data and ${exact ? "density" : "samples"}: ${x.name}`;
  const panel = drawPanel(canvas, { name, frame, x, y, labelled: { x: true, y: true } }, [
    filledHistogram(canvas, bars, 0, style.data),
    exact ? densityCurve(canvas, exact, style.model) : outlinedHistogram(canvas, drawn, style.model),
  ]);
  return {
    width: frame.left + frame.width + MARGINS.right,
    bodyHeight: frame.top + frame.height + MARGINS.bottom,
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
  const masses = exact ? EXACT_MASSES : KERNEL_MASSES;
  const frames = [0, side + gap].map((shift) => ({
    left: MARGINS.left + shift,
    top,
    width: side,
    height: side,
  }));
  return {
    width: MARGINS.left + 2 * side + gap + MARGINS.right,
    bodyHeight: top + side + MARGINS.bottom,
    panels: [
      scatter(canvas, {
        table: "data",
        x,
        y,
        grid,
        masses,
        frame: frames[0]!,
        labelled: { x: true, y: true },
      }),
      scatter(canvas, {
        table: "samples",
        x,
        y,
        grid,
        masses,
        frame: frames[1]!,
        labelled: { x: true, y: false },
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
        left: MARGINS.left + j * (side + gap),
        top: top + i * (side + gap),
        width: side,
        height: side,
      };
      const labelled = { x: i === columns.length - 1, y: j === 0 };
      if (i === j) return overlaidHistograms(canvas, x, frame, labelled);
      const grid = kernelLogDensity(x, y);
      return scatter(canvas, {
        table: j > i ? "samples" : "data",
        x,
        y,
        grid,
        masses: KERNEL_MASSES,
        frame,
        labelled,
      });
    }),
  );
  const extent = columns.length * (side + gap) - gap;
  return {
    width: MARGINS.left + extent + MARGINS.right,
    bodyHeight: top + extent + MARGINS.bottom,
    panels: drawn,
    legend: [
      { text: "data, below the diagonal", color: style.data, mark: "dot" },
      { text: "samples, above the diagonal", color: style.model, mark: "dot" },
    ],
    note: `Contours enclose ${percentages(KERNEL_MASSES)} of the samples.`,
  };
}

interface Scatter {
  table: "data" | "samples";
  x: Column;
  y: Column;
  grid: LogDensityGrid;
  masses: readonly number[];
  frame: Frame;
  labelled: { x: boolean; y: boolean };
}

/** A scatter plot with contours. Small frames have fewer and smaller points. */
function scatter(canvas: Canvas, { table, x, y, grid, masses, frame, labelled }: Scatter) {
  const [maxPoints, radius] = frame.width >= 300 ? [3000, 1.4] : [1500, 0.9];
  const color = table === "data" ? style.data : style.model;
  const ranges: [Range, Range] = [x.axis.range, y.axis.range];
  const name = `${table}: ${x.axis.name}, ${y.axis.name}`;
  return drawPanel(canvas, { name, frame, x: x.axis, y: y.axis, labelled }, [
    points(canvas, [subsample(x[table], maxPoints), subsample(y[table], maxPoints)], ranges, {
      color,
      radius,
    }),
    contours(canvas, grid, masses),
  ]);
}

/**
 * The histograms of data and samples of a column, scaled to the height of the frame. The vertical axis has the units of the column, because
 * the other panels of the row share it.
 */
function overlaidHistograms(
  canvas: Canvas,
  { data, samples, axis: own, bins }: Column,
  frame: Frame,
  labelled: { x: boolean; y: boolean },
) {
  const [base, end] = own.range;
  const both = [data, samples].map((values) => histogram(values, own.range, Math.min(bins, 30)));
  const scale = (0.93 * (end - base)) / Math.max(...both.map(maxHeight));
  const [bars, drawn] = both.map((list) =>
    list.map((bar) => ({ ...bar, height: base + scale * bar.height })),
  );
  return drawPanel(canvas, { name: `histogram: ${own.name}`, frame, x: own, y: own, labelled }, [
    filledHistogram(canvas, bars!, base, style.data),
    outlinedHistogram(canvas, drawn!, style.model),
  ]);
}

function captionOf(shown: Column[], dimensions: number, note = ""): string {
  const count = (table: "data" | "samples") => shown[0]![table].length.toLocaleString("en-US");
  const beyond = (["data", "samples"] as const).map((table) =>
    (100 * fractionOutside(shown, table)).toFixed(1),
  );
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
