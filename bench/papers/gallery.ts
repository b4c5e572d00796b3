import type { Toy } from "../../src/random/index.ts";
import { type Canvas, composeSheet, openCanvas, type Panel } from "../../src/report/sheet.ts";
import { style } from "../../src/report/style.ts";
import { densityPlot, GAP, PANEL_SIZE } from "./densityGrid.ts";

/** One row of the gallery: a toy distribution, samples of it, and the flows that were fitted to it. */
export interface GalleryRow {
  readonly name: string;
  readonly toy: Toy;
  readonly rows: Float64Array;
  readonly flows: { name: string; logProb(rows: Float64Array): Promise<Float64Array> }[];
}

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
    panels.push({
      name: `${row.name}: rows`,
      picture: scatterPlot(canvas, row),
      x: panelX(0),
      y,
      labels: [],
    });
    for (const [f, { name, logProb }] of row.flows.entries()) {
      const density = (await logProb(cellCenters(row.toy))).map(Math.exp);
      const picture = densityPlot(canvas, density, row.toy.range, GRID_SIZE);
      panels.push({ name: `${row.name}: ${name}`, picture, x: panelX(f + 1), y, labels: [] });
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

function scatterPlot({ Plot, document }: Canvas, { rows, toy }: GalleryRow): Element {
  const [x, y] = toy.range;
  const points = Array.from({ length: rows.length / 2 }, (_, i) => [rows[2 * i], rows[2 * i + 1]]);
  const visible = points.filter(([a, b]) => a > x[0] && a < x[1] && b > y[0] && b < y[1]);
  return Plot.plot({
    document,
    width: PANEL_SIZE,
    height: PANEL_SIZE,
    margin: 0,
    x: { domain: x, axis: null },
    y: { domain: y, axis: null },
    marks: [
      Plot.dot(visible, { r: 0.6, fill: style.data, fillOpacity: 0.5 }),
      Plot.frame({ stroke: style.rule }),
    ],
  });
}

/** The centers of the cells of a grid over the range of a distribution, row by row. */
function cellCenters({ range: [x, y] }: Toy): Float64Array {
  const center = ([low, high]: readonly [number, number], i: number) =>
    low + ((i + 0.5) * (high - low)) / GRID_SIZE;
  return Float64Array.from({ length: 2 * GRID_SIZE ** 2 }, (_, k) => {
    const node = Math.floor(k / 2);
    return k % 2 === 0 ? center(x, node % GRID_SIZE) : center(y, Math.floor(node / GRID_SIZE));
  });
}
