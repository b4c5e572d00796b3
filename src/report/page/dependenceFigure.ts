import { percent } from "../../check/index.ts";
import { nearestRank } from "../../numerics/index.ts";
import { labelCounts } from "../../tables/evaluate/index.ts";
import { subsample } from "../columns.ts";
import { points } from "../panels.ts";
import type { Canvas } from "../sheet.ts";
import { sortFinite } from "../sortFinite.ts";
import { COLORS, drawFigure } from "./canvas.ts";
import { axisOf, type PageColumn } from "./column.ts";
import { shortened } from "./html.ts";

const MAX_POINTS = 600;
const MAX_LABELS = 8;

/** The dependence of two columns in real and in generated rows: a scatter plot, intervals for each label, or shares of labels. */
export function dependenceFigure(canvas: Canvas, first: PageColumn, second: PageColumn): string {
  if (first.labels && second.labels) return shares(canvas, first, second);
  if (first.labels) return intervals(canvas, second, first);
  if (second.labels) return intervals(canvas, first, second);
  return scatter(canvas, first, second);
}

const SIDES = ["real", "generated"] as const;
type Side = (typeof SIDES)[number];

const sideBySide = (draw: (side: Side) => string): string =>
  `<div class="pair">${SIDES.map((side) => `<div><span>${side}</span>${draw(side)}</div>`).join("")}</div>`;

function scatter(canvas: Canvas, x: PageColumn, y: PageColumn): string {
  const { Plot } = canvas;
  const [across, up] = [axisOf(x, 180, "horizontal"), axisOf(y, 170, "vertical")];
  // Both plots have the same number of points, since more points look like a wider distribution.
  const completeRows = (side: Side) =>
    Array.from(x[side].keys()).filter((n) => !Number.isNaN(x[side][n]) && !Number.isNaN(y[side][n]));
  const complete = { real: completeRows("real"), generated: completeRows("generated") };
  const count = Math.min(MAX_POINTS, complete.real.length, complete.generated.length);
  return sideBySide((side) => {
    const [u, v] = [x, y].map((column) =>
      subsample(
        Float64Array.from(complete[side], (n) => column[side][n]),
        count,
      ),
    );
    return drawFigure(canvas, {
      width: 240,
      height: 220,
      alt: `Scatter plot of ${u.length} ${side} rows: ${y.name} against ${x.name}.`,
      marginLeft: 44,
      marginBottom: 36,
      x: { ...across.scale },
      y: { ...up.scale },
      marks: [
        Plot.frame({ stroke: COLORS.rule }),
        points(canvas, [u, v], [x.scale!.range, y.scale!.range], { color: COLORS[side], radius: 1.6 }),
        Plot.axisX({
          ...across.ticks,
          color: COLORS.muted,
          tickSize: 4,
          label: axisLabel(x, across.factor),
          labelAnchor: "center",
          labelArrow: "none",
        }),
        Plot.axisY({ ...up.ticks, color: COLORS.muted, tickSize: 4, label: null }),
      ],
    });
  });
}

const axisLabel = ({ name }: PageColumn, factor: string): string =>
  shortened(factor ? `${name} (${factor})` : name, 30);

/** The most frequent labels of real rows, in descending order. */
function frequentLabels({ labels = [], real }: PageColumn): number[] {
  const counts = labelCounts({ labels, values: real });
  return labels
    .map((_, label) => label)
    .filter((label) => counts[label] > 0)
    .sort((a, b) => counts[b] - counts[a])
    .slice(0, MAX_LABELS);
}

/** The median, the central half and the central 90% of a column of numbers for each label. */
function intervals(canvas: Canvas, numbers: PageColumn, labelled: PageColumn): string {
  const { Plot } = canvas;
  const labels = frequentLabels(labelled);
  const rows = labels.flatMap((label, key) =>
    SIDES.flatMap((side, k) => {
      const values = sortFinite(numbers[side].filter((_, n) => labelled[side][n] === label));
      if (values.length === 0) return [];
      const [low, q1, middle, q3, high] = [0.05, 0.25, 0.5, 0.75, 0.95].map((level) =>
        nearestRank(values, level),
      );
      return [{ side, position: 3 * key + k, low, q1, middle, q3, high }];
    }),
  );
  const across = axisOf(numbers, 380, "horizontal");
  const medians = labels.map((label, key) => {
    const of = (k: number) => rows.find(({ position }) => position === 3 * key + k)?.middle ?? Number.NaN;
    return `${labelled.labels![label]} ${Number(of(0).toPrecision(3))} real, ${Number(of(1).toPrecision(3))} generated`;
  });
  return drawFigure(canvas, {
    width: 490,
    height: 34 * labels.length + 44,
    alt: numbers.scale!.isTime
      ? `Intervals of ${numbers.name} for each label of ${labelled.name}.`
      : `Medians of ${numbers.name} for each label of ${labelled.name}: ${medians.join("; ")}.`,
    marginLeft: 100,
    marginBottom: 36,
    x: { ...across.scale },
    y: { domain: [3 * labels.length - 1.2, -0.8], axis: null },
    marks: [
      ...SIDES.flatMap((side) => {
        const ofSide = rows.filter((row) => row.side === side);
        const stroke = COLORS[side];
        return [
          Plot.ruleY(ofSide, { y: "position", x1: "low", x2: "high", stroke, strokeWidth: 1.5, clip: true }),
          Plot.ruleY(ofSide, { y: "position", x1: "q1", x2: "q3", stroke, strokeWidth: 6, clip: true }),
          Plot.dot(ofSide, {
            y: "position",
            x: "middle",
            r: 3,
            fill: "var(--page)",
            stroke,
            strokeWidth: 1.5,
            clip: true,
          }),
        ];
      }),
      Plot.text(labels, {
        x: () => numbers.scale!.range[0],
        y: (_: number, key: number) => 3 * key + 0.5,
        text: (label: number) => shortened(labelled.labels![label], 15),
        textAnchor: "end",
        dx: -8,
        fill: COLORS.ink,
      }),
      Plot.axisX({
        ...across.ticks,
        color: COLORS.muted,
        tickSize: 4,
        label: axisLabel(numbers, across.factor),
        labelAnchor: "center",
        labelArrow: "none",
      }),
    ],
  });
}

/** For each label of the column `rows`, the shares of the labels of the column `columns`. */
function shares(canvas: Canvas, rows: PageColumn, columns: PageColumn): string {
  const { Plot } = canvas;
  const [rowLabels, columnLabels] = [frequentLabels(rows), frequentLabels(columns)];
  return sideBySide((side) => {
    const cells = rowLabels.flatMap((a, i) => {
      const ofRow = Array.from(rows[side].keys()).filter((n) => rows[side][n] === a);
      return columnLabels.map((b, j) => ({
        i,
        j,
        share: ofRow.length === 0 ? 0 : ofRow.filter((n) => columns[side][n] === b).length / ofRow.length,
      }));
    });
    const texts = rowLabels.map((a, i) => {
      const parts = cells
        .filter((cell) => cell.i === i)
        .map(({ j, share }) => `${columns.labels![columnLabels[j]]} ${percent(share)}`);
      return `${rows.labels![a]}: ${parts.join(", ")}`;
    });
    return drawFigure(canvas, {
      width: 240,
      height: 26 * rowLabels.length + 62,
      alt: `Shares of ${columns.name} for each label of ${rows.name} in ${side} rows. ${texts.join("; ")}.`,
      marginLeft: 84,
      marginBottom: 56,
      x: { domain: columnLabels.map((_, j) => j), label: null, padding: 0.06 },
      y: { domain: rowLabels.map((_, i) => i), label: null, padding: 0.06 },
      marks: [
        Plot.cell(cells, { x: "j", y: "i", fill: COLORS[side], fillOpacity: "share" }),
        Plot.cell(cells, { x: "j", y: "i", stroke: COLORS.rule, fill: "none" }),
        Plot.axisX({
          tickFormat: (j: number) => shortened(columns.labels![columnLabels[j]], 9),
          tickRotate: columnLabels.length > 3 ? -35 : 0,
          tickSize: 0,
          color: COLORS.muted,
          label: null,
        }),
        Plot.axisY({
          tickFormat: (i: number) => shortened(rows.labels![rowLabels[i]], 12),
          tickSize: 0,
          color: COLORS.ink,
          label: null,
        }),
      ],
    });
  });
}
