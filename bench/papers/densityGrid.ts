import { type Canvas, composeSheet, openCanvas, type Panel } from "../../src/report/sheet.ts";
import { style } from "../../src/report/style.ts";

/** One row of the figure: densities on [-halfSide, halfSide]^2, at the midpoints of `size` x `size` cells, row by row. */
export interface DensityRow {
  readonly name: string;
  readonly densities: readonly { readonly name: string; readonly values: Float64Array }[];
}

export const PANEL_SIZE = 128;
export const GAP = 8;
const LEFT_MARGIN = 56;
const TOP_MARGIN = 26;
const CONTOUR_LEVELS = 12;

/** A grid of contour plots, darker where the density is higher, as an SVG document. */
export async function densityGrid(
  rows: readonly DensityRow[],
  { title, caption, halfSide, size }: { title: string; caption: string; halfSide: number; size: number },
): Promise<string> {
  const canvas = await openCanvas();
  const range = [-halfSide, halfSide] as const;
  const offset = (i: number) => i * (PANEL_SIZE + GAP);
  const panels = rows.flatMap((row, r) =>
    row.densities.map(({ name, values }, c): Panel => {
      const picture = densityPlot(canvas, values, [range, range], size);
      return {
        name: `${row.name}: ${name}`,
        picture,
        x: LEFT_MARGIN + offset(c),
        y: TOP_MARGIN + offset(r),
        labels: [],
      };
    }),
  );
  const columnLabels = rows[0].densities.map(({ name }, c) => ({
    x: LEFT_MARGIN + offset(c) + PANEL_SIZE / 2,
    y: 14,
    text: name,
    anchor: "middle" as const,
    size: 11,
  }));
  const rowLabels = rows.map(({ name }, r) => ({
    x: 24,
    y: TOP_MARGIN + offset(r) + PANEL_SIZE / 2,
    text: name,
  }));
  return composeSheet({
    title,
    caption,
    width: LEFT_MARGIN + offset(rows[0].densities.length) - GAP + 24,
    bodyHeight: TOP_MARGIN + offset(rows.length) + 16,
    panels,
    labels: [...columnLabels, ...rowLabels],
  });
}

type Range = readonly [low: number, high: number];

/** A contour plot of a density at the midpoints of `size` x `size` cells of a rectangle, row by row. */
export function densityPlot(
  { Plot, document }: Canvas,
  values: Float64Array,
  [x, y]: readonly [Range, Range],
  size: number,
): Panel["picture"] {
  // The highest 0.5% are clipped, since narrow peaks would leave the rest of the picture white.
  const maxDensity = values.toSorted()[Math.floor(0.995 * values.length)];
  return Plot.plot({
    document,
    width: PANEL_SIZE,
    height: PANEL_SIZE,
    margin: 0,
    x: { domain: x, axis: null },
    y: { domain: y, axis: null },
    color: { type: "linear", scheme: "blues", domain: [-0.1 * maxDensity, maxDensity] },
    marks: [
      Plot.contour(values, {
        x1: x[0],
        x2: x[1],
        y1: y[0],
        y2: y[1],
        width: size,
        height: size,
        thresholds: Array.from(
          { length: CONTOUR_LEVELS },
          (_, i) => ((i + 0.5) / CONTOUR_LEVELS) * maxDensity,
        ),
        fill: Plot.identity,
        stroke: "none",
      }),
      Plot.frame({ stroke: style.rule }),
    ],
  });
}
