import type { Toy } from "../../src/random/index.ts";
import { type Canvas, composeSheet, openCanvas, type Panel } from "../../src/report/sheet.ts";
import { style } from "../../src/report/style.ts";

/** A row of the gallery: a toy, rows of it, and what flows make of it. */
export interface GalleryRow {
  readonly name: string;
  readonly toy: Toy;
  readonly rows: Float64Array;
  readonly flows: { name: string; logProb(rows: Float64Array): Promise<Float64Array> }[];
}

const SIDE = 128;
const GAP = 8;
const LEFT = 128;
const TOP = 26;
const NODES = 160;

/** Rows of each toy, then the density of each flow, as an SVG document. */
export async function gallery(rows: readonly GalleryRow[]): Promise<string> {
  const canvas = await openCanvas();
  const place = (i: number) => LEFT + i * (SIDE + GAP);
  const titles = ["rows", ...rows[0].flows.map(({ name }) => name)];
  const panels: Panel[] = [];
  for (const [r, row] of rows.entries()) {
    const y = TOP + r * (SIDE + GAP);
    panels.push({ ...dots(canvas, row), x: place(0), y, labels: [] });
    for (const [f, flow] of row.flows.entries()) {
      panels.push({ ...(await density(canvas, row, flow)), x: place(f + 1), y, labels: [] });
    }
  }
  return composeSheet({
    title: "Distributions in the plane, and what flows make of them",
    caption: "Left: rows. Then the density of each flow, darker where it is higher.",
    width: place(titles.length) + 24 - GAP,
    bodyHeight: TOP + rows.length * (SIDE + GAP) + 16,
    panels,
    labels: [
      ...titles.map((text, i) => ({
        text,
        x: place(i) + SIDE / 2,
        y: 14,
        anchor: "middle" as const,
        size: 11,
      })),
      ...rows.map(({ name }, r) => ({ text: name, x: 24, y: TOP + r * (SIDE + GAP) + SIDE / 2 })),
    ],
  });
}

const frame = ({ Plot, document }: Canvas, { toy }: GalleryRow) => ({
  document,
  width: SIDE,
  height: SIDE,
  margin: 0,
  x: { domain: toy.range[0], axis: null },
  y: { domain: toy.range[1], axis: null },
  outline: Plot.frame({ stroke: style.rule }),
});

function dots(canvas: Canvas, row: GalleryRow): { name: string; picture: Element } {
  const { outline, ...look } = frame(canvas, row);
  const places = Array.from({ length: row.rows.length / 2 }, (_, i) => [
    row.rows[2 * i],
    row.rows[2 * i + 1],
  ]);
  const [x, y] = row.toy.range;
  const inside = places.filter(([a, b]) => a > x[0] && a < x[1] && b > y[0] && b < y[1]);
  const marks = [canvas.Plot.dot(inside, { r: 0.6, fill: style.data, fillOpacity: 0.5 }), outline];
  return { name: `${row.name}: rows`, picture: canvas.Plot.plot({ ...look, marks }) };
}

async function density(
  canvas: Canvas,
  row: GalleryRow,
  { name, logProb }: GalleryRow["flows"][number],
): Promise<{ name: string; picture: Element }> {
  const { outline, ...look } = frame(canvas, row);
  const [x, y] = row.toy.range;
  const at = ([lower, upper]: readonly [number, number], i: number) =>
    lower + ((i + 0.5) * (upper - lower)) / NODES;
  const nodes = Float64Array.from({ length: 2 * NODES ** 2 }, (_, k) => {
    const node = Math.floor(k / 2);
    return k % 2 === 0 ? at(x, node % NODES) : at(y, Math.floor(node / NODES));
  });
  const values = (await logProb(nodes)).map(Math.exp);
  // A flow's few highest peaks would leave the rest of the picture white.
  const top = values.toSorted()[Math.floor(0.995 * values.length)];
  const levels = Array.from({ length: 12 }, (_, i) => ((i + 0.5) / 12) * top);
  const mark = canvas.Plot.contour(values, {
    width: NODES,
    height: NODES,
    x1: x[0],
    x2: x[1],
    y1: y[0],
    y2: y[1],
    thresholds: levels,
    fill: canvas.Plot.identity,
    stroke: "none",
  });
  const color = { type: "linear" as const, scheme: "blues" as const, domain: [-0.1 * top, top] };
  return {
    name: `${row.name}: ${name}`,
    picture: canvas.Plot.plot({ ...look, color, marks: [mark, outline] }),
  };
}
