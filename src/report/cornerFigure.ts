import { anyValue, checkOptions, listOfTexts, required, text, withDecimals } from "../check/index.ts";
import { type Column, fractionOutside, readColumns, subsample } from "./columns.ts";
import { kernelLogDensity } from "./contours.ts";
import {
  contours,
  drawPanel,
  type Frame,
  filledHistogram,
  histogram,
  MARGINS,
  maxHeight,
  points,
} from "./panels.ts";
import { type Canvas, composeSheet, type Label, openCanvas, type Panel } from "./sheet.ts";
import { ellipsize, style } from "./style.ts";

/** Options of `cornerFigure`. */
export interface CornerFigureOptions {
  /** Names of the D columns. */
  columns: readonly string[];
  /** Draws, `[n, D]` row by row. */
  draws: Float64Array;
  /** The title above the panels. Default: Draws from the posterior. */
  title?: string | undefined;
  /** Columns to draw, in this order; the first six by default. */
  show?: readonly string[] | undefined;
}

const DEFAULT_MAX_COLUMNS = 6;
const MASSES = [0.1, 0.5, 0.9];
/** In pixels: the width of the matrix of panels, the gap between panels, and the largest side of a panel. */
const [EXTENT, GAP, MAX_SIDE] = [690, 10, 220];

/**
 * Draws of a distribution as an SVG document: a histogram of each column on the diagonal, with its mean and standard deviation, and
 * below it a scatter plot of each pair of columns with contours of a kernel density, which enclose 10, 50 and 90% of the draws
 * (a corner plot, Foreman-Mackey 2016). The axes cover the draws without outliers. Equal inputs give equal strings.
 *
 * @throws `SHAPE`, `ARGUMENT` or `DATA` for arrays that cannot be drawn; `DEPENDENCY` if a package is not installed.
 */
export async function cornerFigure(figure: CornerFigureOptions): Promise<string> {
  checkOptions("cornerFigure", figure, {
    columns: required(listOfTexts),
    draws: required(anyValue),
    title: text,
    show: listOfTexts,
  });
  const { columns, draws, title = "Draws from the posterior", show } = figure;
  const shown = readColumns(
    { columns, data: draws, samples: draws },
    show ?? columns.slice(0, DEFAULT_MAX_COLUMNS),
  );
  const canvas = await openCanvas();
  const side = Math.min(MAX_SIDE, Math.floor((EXTENT - GAP * (shown.length - 1)) / shown.length));
  const top = 26;
  const panels: Panel[] = [];
  const labels: Label[] = [];
  shown.forEach((y, i) => {
    shown.slice(0, i + 1).forEach((x, j) => {
      const frame = {
        left: MARGINS.left + j * (side + GAP),
        top: top + i * (side + GAP),
        width: side,
        height: side,
      };
      const isLast = i === shown.length - 1;
      if (i === j) {
        panels.push(marginal(canvas, x, frame, isLast));
        labels.push(momentsLabel(x, frame));
      } else panels.push(pair(canvas, x, y, frame, { x: isLast, y: j === 0 }));
    });
  });
  const extent = shown.length * (side + GAP) - GAP;
  const rows = shown[0]!.samples.length.toLocaleString("en-US");
  const outside = (100 * fractionOutside(shown, "samples")).toFixed(1);
  const part = shown.length < columns.length ? `, ${shown.length} of ${columns.length} parameters` : "";
  const off = outside === "0.0" ? "" : ` (${outside}% off the axes)`;
  const contoursNote = shown.length > 1 ? " Contours enclose 10, 50 and 90% of the draws." : "";
  return composeSheet({
    title,
    caption: `${rows} draws${off}${part}.${contoursNote}`,
    width: MARGINS.left + Math.max(extent, 300) + MARGINS.right,
    bodyHeight: top + extent + MARGINS.bottom,
    panels,
    labels,
  });
}

/** The histogram of a column, scaled to the height of the frame. */
function marginal(canvas: Canvas, column: Column, frame: Frame, labelled: boolean): Panel {
  const { samples, axis, bins } = column;
  const [base, end] = axis.range;
  const bars = histogram(samples, axis.range, Math.min(bins, 40));
  const scale = (0.93 * (end - base)) / maxHeight(bars);
  const scaled = bars.map((bar) => ({ ...bar, height: base + scale * bar.height }));
  const panel = {
    name: `histogram: ${axis.name}`,
    frame,
    x: axis,
    y: axis,
    labelled: { x: labelled, y: false },
  };
  return drawPanel(canvas, panel, [filledHistogram(canvas, scaled, base, style.model)]);
}

function pair(
  canvas: Canvas,
  x: Column,
  y: Column,
  frame: Frame,
  labelled: { x: boolean; y: boolean },
): Panel {
  const [maxPoints, radius] = frame.width >= 150 ? [2000, 0.9] : [1000, 0.7];
  const drawn: [Float64Array, Float64Array] = [
    subsample(x.samples, maxPoints),
    subsample(y.samples, maxPoints),
  ];
  const panel = { name: `draws: ${x.axis.name}, ${y.axis.name}`, frame, x: x.axis, y: y.axis, labelled };
  return drawPanel(canvas, panel, [
    points(canvas, drawn, [x.axis.range, y.axis.range], { color: style.model, radius }),
    contours(canvas, kernelLogDensity(x, y), MASSES),
  ]);
}

/** `mu = 4.4 ± 3.3` above the panel of a column. */
function momentsLabel({ samples, axis: { name } }: Column, { left, top, width }: Frame): Label {
  const mean = samples.reduce((a, b) => a + b, 0) / samples.length;
  const sd = Math.sqrt(samples.reduce((sum, x) => sum + (x - mean) ** 2, 0) / samples.length);
  const decimals = sd > 0 ? Math.max(0, Math.min(12, 1 - Math.floor(Math.log10(sd)))) : 2;
  const text = ellipsize(
    `${name} = ${withDecimals(mean, decimals)} ± ${sd.toFixed(decimals)}`,
    style.tickSize,
    width,
  );
  return { text, x: left + width / 2, y: top - 8, anchor: "middle", size: style.tickSize };
}
