import type { Markish } from "@observablehq/plot";
import type { Axis, Range, Tick } from "./axis.ts";
import { within } from "./columns.ts";
import { cells, type LogDensity, type LogDensityGrid, massLevels } from "./contours.ts";
import type { Canvas, Label, Panel } from "./sheet.ts";
import { ellipsize, style, textWidth } from "./style.ts";

/** Where a panel's frame stands in the body of the sheet, in pixels. */
export interface Frame {
  left: number;
  top: number;
  width: number;
  height: number;
}

/** Room that a written axis needs beside its frame: ticks, name, factor and the margin of the sheet. */
export const room = { left: 100, right: 24, bottom: 72 } as const;

/** Marks in a frame; `write` says which axes are written out. */
export function drawPanel(
  { Plot, document }: Canvas,
  panel: { name: string; frame: Frame; x: Axis; y: Axis; write: { x: boolean; y: boolean } },
  marks: Markish[],
): Panel {
  const { name, frame, x, y, write } = panel;
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
      write.x ? Plot.axisX(axisLook(x.ticks("horizontal", frame.width, style.tickSize))) : null,
      write.y ? Plot.axisY(axisLook(y.ticks("vertical", frame.height, style.tickSize))) : null,
    ],
  });
  const labels = [...(write.x ? nameBelow(x, frame) : []), ...(write.y ? nameBeside(y, frame) : [])];
  return { name, picture, x: frame.left - ticks, y: frame.top - edge, labels };
}

function axisLook(ticks: Tick[]) {
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

function nameBelow(axis: Axis, { left, top, width, height }: Frame): Label[] {
  return axisTexts(axis, width).map((text, line) => {
    return {
      text,
      x: left + width / 2,
      y: top + height + 37 + 14 * line,
      anchor: "middle",
      ...textLook[line],
    };
  });
}

function nameBeside(axis: Axis, { left, top, height }: Frame): Label[] {
  return axisTexts(axis, height).map((text, line, texts) => {
    const x = left - 54 - 14 * (texts.length - 1 - line);
    return { text, x, y: top + height / 2, anchor: "middle", upright: true, ...textLook[line] };
  });
}

const textLook = [{}, { color: style.muted, size: style.tickSize }];

/** `income (×10³)` where there is room for it, else name and factor on two lines. */
function axisTexts({ name, factor }: Axis, width: number): string[] {
  const nameWithFactor = `${name} (${factor})`;
  if (factor && textWidth(nameWithFactor, style.textSize) <= width) return [nameWithFactor];
  return [ellipsize(name, style.textSize, width), factor].filter(Boolean);
}

/**
 * Points as a few paths of round dots instead of one element each: a small part of the SVG and of the time, and
 * where dots of different paths overlap the colour still deepens.
 */
export function points(
  { Plot }: Canvas,
  [x, y]: [Float64Array, Float64Array],
  ranges: [Range, Range],
  { color, radius }: { color: string; radius: number },
): Markish {
  const shown = [...x.keys()].filter((k) => within(x[k]!, ranges[0]) && within(y[k]!, ranges[1]));
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

/** Contour lines around the given shares of the grid's mass. */
export function contours({ Plot }: Canvas, grid: LogDensityGrid, masses: readonly number[]): Markish {
  const levels = massLevels(grid.values, masses);
  if (levels.length === 0) return null;
  const [[x1, x2], [y1, y2]] = [cellEdges(grid.x), cellEdges(grid.y)];
  const size = { width: grid.x.length, height: grid.y.length };
  const look = { stroke: style.ink, strokeWidth: 0.9, strokeOpacity: 0.75, clip: true };
  return Plot.contour(grid.values, { ...size, x1, x2, y1, y2, thresholds: levels, ...look });
}

/** Plot takes nodes as centres of cells, and asks where the cells begin and end. */
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

/** A bar's height is the share of all values in its bin, divided by its width: comparable with a density. */
export function histogram(values: Float64Array, range: Range, bins: number): Bar[] {
  const { width, centres, indexOf } = cells(range, bins);
  const counts = new Float64Array(bins);
  for (const value of values) if (within(value, range)) counts[indexOf(value)]! += 1;
  return Array.from(centres, (centre, i) => {
    return { from: centre - width / 2, to: centre + width / 2, height: counts[i]! / (values.length * width) };
  });
}

export const tallest = (bars: Bar[]): number => Math.max(...bars.map(({ height }) => height));

export const filled = ({ Plot }: Canvas, bars: Bar[], base: number, fill: string): Markish =>
  Plot.areaY(corners(bars), { x: "0", y1: base, y2: "1", fill, fillOpacity: 0.35 });

export const outlined = ({ Plot }: Canvas, bars: Bar[], stroke: string): Markish =>
  Plot.line(corners(bars), { stroke, strokeWidth: 1.3, clip: true });

const corners = (bars: Bar[]) =>
  bars.flatMap(({ from, to, height }) => [[from, height] as const, [to, height] as const]);

export function densityCurve({ Plot }: Canvas, { x, values }: LogDensity, stroke: string): Markish {
  const curve = Array.from(x, (value, i) => [value, Math.exp(values[i]!)] as const);
  return Plot.line(curve, { stroke, strokeWidth: 1.6, clip: true });
}
