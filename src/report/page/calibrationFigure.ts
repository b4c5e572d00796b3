import type { CalibrationResult, ColumnCalibration } from "../../numerics/index.ts";
import type { Canvas } from "../sheet.ts";
import { COLORS, drawFigure } from "./canvas.ts";

/** The PIT histogram of a column, with the band in which the counts of a calibrated model are. */
export function calibrationFigure(
  canvas: Canvas,
  { counts, isOutside, name }: ColumnCalibration,
  { band: [low, high], rows }: CalibrationResult,
): string {
  const { Plot } = canvas;
  const bins = counts.length;
  const bars = counts.map((count, i) => ({ from: i / bins, to: (i + 1) / bins, count }));
  const outside = isOutside ? "some are outside the band" : "all are within the band";
  return drawFigure(canvas, {
    width: 220,
    height: 120,
    alt: `PIT histogram of ${name}: counts ${counts.join(", ")}, where ${Math.round(rows / bins)} are expected; ${outside} from ${low} to ${high}.`,
    marginLeft: 8,
    marginBottom: 26,
    x: { domain: [0, 1], label: null },
    y: { domain: [0, 1.08 * Math.max(high, ...counts)], axis: null },
    marks: [
      Plot.rect([0], { x1: 0, x2: 1, y1: low, y2: high, fill: COLORS.band }),
      Plot.rect(bars, {
        x1: "from",
        x2: "to",
        y1: 0,
        y2: "count",
        fill: COLORS.generated,
        fillOpacity: 0.55,
        inset: 0.75,
      }),
      Plot.ruleY([rows / bins], { stroke: COLORS.ink, strokeDasharray: "3,3" }),
      Plot.ruleY([0], { stroke: COLORS.rule }),
      Plot.axisX({
        ticks: [0, 0.5, 1],
        tickFormat: String,
        fontSize: 13,
        color: COLORS.muted,
        tickSize: 4,
        label: null,
      }),
    ],
  });
}
