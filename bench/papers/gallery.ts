import type { Toy } from "../../src/random/index.ts";
import { type Canvas, composeSheet, openCanvas, type Panel } from "../../src/report/sheet.ts";
import { style } from "../../src/report/style.ts";

/** One row of the gallery: a toy distribution, samples of it, and the flows that were fitted to it. */
export interface GalleryRow {
  readonly name: string;
  readonly toy: Toy;
  readonly rows: Float64Array;
  readonly flows: { name: string; logProb(rows: Float64Array): Promise<Float64Array> }[];
}

const PANEL_SIZE = 128;
const GAP = 8;
const LEFT_MARGIN = 128;
const TOP_MARGIN = 26;
const GRID_SIZE = 160;

/** Scatter plots of each toy distribution, followed by the density of each flow, as an SVG document. */
export async function gallery(rows: readonly GalleryRow[]): Promise<string> {
  const canvas = await openCanvas();
  const panelX = (i: number) => LEFT_MARGIN + i * (PANEL_SIZE + GAP);
  const titles = ["rows", ...rows[0].flows.map(({ name }) => name)];
  const panels: Panel[] = [];
  for (const [r, row] of rows.entries()) {
    const y = TOP_MARGIN + r * (PANEL_SIZE + GAP);
    panels.push({ ...scatterPlot(canvas, row), x: panelX(0), y, labels: [] });
    for (const [f, flow] of row.flows.entries()) {
      panels.push({ ...(await densityPlot(canvas, row, flow)), x: panelX(f + 1), y, labels: [] });
    }
  }
  return composeSheet({
    title: "Distributions in the plane, and densities of fitted flows",
    caption:
      "First column: samples of the distribution. Other columns: density of each flow, darker where it is higher.",
    width: panelX(titles.length) + 24 - GAP,
    bodyHeight: TOP_MARGIN + rows.length * (PANEL_SIZE + GAP) + 16,
    panels,
    labels: [
      ...titles.map((text, i) => ({
        text,
        x: panelX(i) + PANEL_SIZE / 2,
        y: 14,
        anchor: "middle" as const,
        size: 11,
      })),
      ...rows.map(({ name }, r) => ({
        text: name,
        x: 24,
        y: TOP_MARGIN + r * (PANEL_SIZE + GAP) + PANEL_SIZE / 2,
      })),
    ],
  });
}

const plotFrame = ({ Plot, document }: Canvas, { toy }: GalleryRow) => ({
  document,
  width: PANEL_SIZE,
  height: PANEL_SIZE,
  margin: 0,
  x: { domain: toy.range[0], axis: null },
  y: { domain: toy.range[1], axis: null },
  outline: Plot.frame({ stroke: style.rule }),
});

function scatterPlot(canvas: Canvas, row: GalleryRow): { name: string; picture: Element } {
  const { outline, ...frameOptions } = plotFrame(canvas, row);
  const points = Array.from({ length: row.rows.length / 2 }, (_, i) => [
    row.rows[2 * i],
    row.rows[2 * i + 1],
  ]);
  const [x, y] = row.toy.range;
  const visible = points.filter(([a, b]) => a > x[0] && a < x[1] && b > y[0] && b < y[1]);
  const marks = [canvas.Plot.dot(visible, { r: 0.6, fill: style.data, fillOpacity: 0.5 }), outline];
  return { name: `${row.name}: rows`, picture: canvas.Plot.plot({ ...frameOptions, marks }) };
}

async function densityPlot(
  canvas: Canvas,
  row: GalleryRow,
  { name, logProb }: GalleryRow["flows"][number],
): Promise<{ name: string; picture: Element }> {
  const { outline, ...look } = plotFrame(canvas, row);
  const [x, y] = row.toy.range;
  const cellCenter = ([lower, upper]: readonly [number, number], i: number) =>
    lower + ((i + 0.5) * (upper - lower)) / GRID_SIZE;
  const nodes = Float64Array.from({ length: 2 * GRID_SIZE ** 2 }, (_, k) => {
    const node = Math.floor(k / 2);
    return k % 2 === 0 ? cellCenter(x, node % GRID_SIZE) : cellCenter(y, Math.floor(node / GRID_SIZE));
  });
  const values = (await logProb(nodes)).map(Math.exp);
  // The highest 0.5% are clipped, since narrow peaks would leave the rest of the picture white.
  const maxDensity = values.toSorted()[Math.floor(0.995 * values.length)];
  const levels = Array.from({ length: 12 }, (_, i) => ((i + 0.5) / 12) * maxDensity);
  const mark = canvas.Plot.contour(values, {
    width: GRID_SIZE,
    height: GRID_SIZE,
    x1: x[0],
    x2: x[1],
    y1: y[0],
    y2: y[1],
    thresholds: levels,
    fill: canvas.Plot.identity,
    stroke: "none",
  });
  const color = {
    type: "linear" as const,
    scheme: "blues" as const,
    domain: [-0.1 * maxDensity, maxDensity],
  };
  return {
    name: `${row.name}: ${name}`,
    picture: canvas.Plot.plot({ ...look, color, marks: [mark, outline] }),
  };
}
