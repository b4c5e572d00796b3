import type { Markish } from "@observablehq/plot";
import type { Axis, Range, Tick } from "./axis.ts";
import { isWithin } from "./columns.ts";
import { cells, type LogDensity, type LogDensityGrid, massLevels } from "./contours.ts";
import type { Canvas, Label, Panel } from "./sheet.ts";
import { ellipsize, style, textWidth } from "./style.ts";

/** The position and the size of a panel's frame in the body of the sheet, in pixels. */
export interface Frame {
  left: number;
  top: number;
  width: number;
  height: number;
}

/** The space beside a frame for the ticks, the name and the factor of an axis, and for the margin of the sheet, in pixels. */
export const MARGINS = { left: 100, right: 24, bottom: 72 } as const;

/** Draws marks in a frame. `labelled` says which axes have ticks and a name. */
export function drawPanel(
  { Plot, document }: Canvas,
  panel: { name: string; frame: Frame; x: Axis; y: Axis; labelled: { x: boolean; y: boolean } },
  marks: Markish[],
): Panel {
  const { name, frame, x, y, labelled } = panel;
  const [ticks, edge] = [50, 6];
  const picture = Plot.plot({
    document,
    width: frame.width + ticks + edge,
    height: frame.height + ticks + edge,
    marginLeft: ticks,
    marginRight: edge,
    marginTop: edge,
    marginBottom: ticks,
    x: { domain: x.range, axis: null },
    y: { domain: y.range, axis: null },
    marks: [
      ...marks,
      Plot.frame({ stroke: style.rule }),
      labelled.x ? Plot.axisX(axisOptions(x.ticks("horizontal", frame.width, style.tickSize))) : null,
      labelled.y ? Plot.axisY(axisOptions(y.ticks("vertical", frame.height, style.tickSize))) : null,
    ],
  });
  const labels = [...(labelled.x ? labelBelow(x, frame) : []), ...(labelled.y ? labelBeside(y, frame) : [])];
  return { name, picture, x: frame.left - ticks, y: frame.top - edge, labels };
}

function axisOptions(ticks: Tick[]) {
  const texts = new Map(ticks.map(({ value, text }) => [value, text]));
  return {
    ticks: [...texts.keys()],
    tickFormat: (value: number) => texts.get(value)!,
    tickSize: 4,
    fontSize: style.tickSize,
    color: style.muted,
    label: null,
  };
}

function labelBelow(axis: Axis, { left, top, width, height }: Frame): Label[] {
  return axisTexts(axis, width).map((text, line) => {
    return {
      text,
      x: left + width / 2,
      y: top + height + 37 + 14 * line,
      anchor: "middle",
      ...LINE_STYLES[line],
    };
  });
}

function labelBeside(axis: Axis, { left, top, height }: Frame): Label[] {
  return axisTexts(axis, height).map((text, line, texts) => {
    const x = left - 54 - 14 * (texts.length - 1 - line);
    return { text, x, y: top + height / 2, anchor: "middle", upright: true, ...LINE_STYLES[line] };
  });
}

const LINE_STYLES = [{}, { color: style.muted, size: style.tickSize }];

/** The name and the factor of an axis on one line, such as `income (×10³)`, or on two lines if they are wider than `width`. */
function axisTexts({ name, factor }: Axis, width: number): string[] {
  const nameWithFactor = `${name} (${factor})`;
  if (factor && textWidth(nameWithFactor, style.textSize) <= width) return [nameWithFactor];
  return [ellipsize(name, style.textSize, width), factor].filter(Boolean);
}

/**
 * A scatter plot. Its dots are in eight paths instead of one element each, which makes the SVG much smaller. Dots of different paths
 * are darker where they overlap, unlike those of one path.
 */
export function points(
  { Plot }: Canvas,
  [x, y]: [Float64Array, Float64Array],
  ranges: [Range, Range],
  { color, radius }: { color: string; radius: number },
): Markish {
  const shown = [...x.keys()].filter((k) => isWithin(x[k]!, ranges[0]) && isWithin(y[k]!, ranges[1]));
  const layers = 8;
  return Plot.dot(shown, {
    x: (k: number) => x[k]!,
    y: (k: number) => y[k]!,
    render(index, _scales, { x: left, y: top }, _dimensions, { document }) {
      const group = document.createElementNS("http://www.w3.org/2000/svg", "g");
      group.setAttribute("aria-label", "points");
      const look = { fill: "none", stroke: color, "stroke-opacity": 0.4, "stroke-width": 2 * radius };
      for (let layer = 0; layer < Math.min(layers, index.length); layer++) {
        const dots = Array.from(index).filter((k) => k % layers === layer);
        const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
        path.setAttribute("d", dots.map((k) => `M${left![k]!.toFixed(1)},${top![k]!.toFixed(1)}h0`).join(""));
        for (const [key, value] of Object.entries(look)) path.setAttribute(key, String(value));
        path.setAttribute("stroke-linecap", "round");
        group.append(path);
      }
      return group;
    },
  });
}

/** Contour lines of the highest-density regions with the given masses. */
export function contours({ Plot }: Canvas, grid: LogDensityGrid, masses: readonly number[]): Markish {
  const levels = massLevels(grid.values, masses);
  if (levels.length === 0) return null;
  const [[x1, x2], [y1, y2]] = [cellEdges(grid.x), cellEdges(grid.y)];
  const size = { width: grid.x.length, height: grid.y.length };
  const look = { stroke: style.ink, strokeWidth: 0.9, strokeOpacity: 0.75, clip: true };
  return Plot.contour(grid.values, { ...size, x1, x2, y1, y2, thresholds: levels, ...look });
}

/** The outer edges of the first and the last cell, whose centers are nodes. Plot needs these edges. */
function cellEdges(nodes: ArrayLike<number>): Range {
  const [first, last] = [nodes[0]!, nodes[nodes.length - 1]!];
  const half = (last - first) / (nodes.length - 1) / 2;
  return [first - half, last + half];
}

export interface Bar {
  from: number;
  to: number;
  height: number;
}

/**
 * A normalized histogram: the height of a bar is the fraction of the values in its bin divided by the width, as for a density.
 */
export function histogram(values: Float64Array, range: Range, bins: number): Bar[] {
  const { width, centers, indexOf } = cells(range, bins);
  const counts = new Float64Array(bins);
  for (const value of values) if (isWithin(value, range)) counts[indexOf(value)]! += 1;
  return Array.from(centers, (center, i) => {
    return { from: center - width / 2, to: center + width / 2, height: counts[i]! / (values.length * width) };
  });
}

export const maxHeight = (bars: Bar[]): number => Math.max(...bars.map(({ height }) => height));

export const filledHistogram = ({ Plot }: Canvas, bars: Bar[], base: number, fill: string): Markish =>
  Plot.areaY(corners(bars), { x: "0", y1: base, y2: "1", fill, fillOpacity: 0.35 });

export const outlinedHistogram = ({ Plot }: Canvas, bars: Bar[], stroke: string): Markish =>
  Plot.line(corners(bars), { stroke, strokeWidth: 1.3, clip: true });

/** The corners of the outline of a histogram. */
export const corners = (bars: Bar[]) =>
  bars.flatMap(({ from, to, height }) => [[from, height] as const, [to, height] as const]);

export function densityCurve({ Plot }: Canvas, { x, values }: LogDensity, stroke: string): Markish {
  const curve = Array.from(x, (value, i) => [value, Math.exp(values[i]!)] as const);
  return Plot.line(curve, { stroke, strokeWidth: 1.6, clip: true });
}
