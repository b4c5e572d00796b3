import { type Canvas, composeSheet, openCanvas, type Panel } from "../../src/report/sheet.ts";
import { style } from "../../src/report/style.ts";

/** A row of densities on [-reach, reach]^2, each at the midpoints of `size` x `size` cells, row by row. */
export interface DensityRow {
  readonly name: string;
  readonly densities: readonly { readonly name: string; readonly values: Float64Array }[];
}

const SIDE = 128;
const GAP = 8;
const LEFT = 56;
const TOP = 26;
const LEVELS = 12;

/** Densities in a grid, darker where they are higher, as an SVG document. */
export async function densityGrid(
  rows: readonly DensityRow[],
  { title, caption, reach, size }: { title: string; caption: string; reach: number; size: number },
): Promise<string> {
  const canvas = await openCanvas();
  const at = (i: number) => i * (SIDE + GAP);
  const panels = rows.flatMap((row, r) =>
    row.densities.map(({ name, values }, c): Panel => {
      const picture = density(canvas, values, reach, size);
      return { name: `${row.name}: ${name}`, picture, x: LEFT + at(c), y: TOP + at(r), labels: [] };
    }),
  );
  const heads = rows[0].densities.map(({ name }, c) => ({
    x: LEFT + at(c) + SIDE / 2,
    y: 14,
    text: name,
    anchor: "middle" as const,
    size: 11,
  }));
  const sides = rows.map(({ name }, r) => ({ x: 24, y: TOP + at(r) + SIDE / 2, text: name }));
  return composeSheet({
    title,
    caption,
    width: LEFT + at(rows[0].densities.length) - GAP + 24,
    bodyHeight: TOP + at(rows.length) + 16,
    panels,
    labels: [...heads, ...sides],
  });
}

function density(
  { Plot, document }: Canvas,
  values: Float64Array,
  reach: number,
  size: number,
): Panel["picture"] {
  // The few highest peaks would leave the rest of the picture white.
  const top = values.toSorted()[Math.floor(0.995 * values.length)];
  const ends = { x1: -reach, x2: reach, y1: -reach, y2: reach };
  return Plot.plot({
    document,
    width: SIDE,
    height: SIDE,
    margin: 0,
    x: { domain: [-reach, reach], axis: null },
    y: { domain: [-reach, reach], axis: null },
    color: { type: "linear", scheme: "blues", domain: [-0.1 * top, top] },
    marks: [
      Plot.contour(values, {
        ...ends,
        width: size,
        height: size,
        thresholds: Array.from({ length: LEVELS }, (_, i) => ((i + 0.5) / LEVELS) * top),
        fill: Plot.identity,
        stroke: "none",
      }),
      Plot.frame({ stroke: style.rule }),
    ],
  });
}
