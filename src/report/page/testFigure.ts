import type { Controlled, TwoSampleResult } from "../../tables/evaluate/index.ts";
import type { Canvas } from "../sheet.ts";
import { COLORS, drawFigure } from "./canvas.ts";
import { fixed } from "./html.ts";

/** Names of the three tables in a page. If `isKnown` is false, the training rows are not known, and `copied` are the reference rows. */
export const tableNames = (isKnown: boolean) => ({
  generated: "generated rows",
  copied: isKnown ? "copied training rows" : "reference rows",
  shuffled: "shuffled columns",
});

/** The AUROC of the two-sample test with its interval, beside both controls. */
export function testFigure(canvas: Canvas, tests: Controlled<TwoSampleResult>, isKnown: boolean): string {
  const { Plot } = canvas;
  const names = tableNames(isKnown);
  const rows = (["copied", "generated", "shuffled"] as const).map((key) => {
    const { auroc, interval } = tests[key];
    return {
      name: names[key],
      auroc,
      low: interval[0],
      high: interval[1],
      color: key === "generated" ? COLORS.generated : COLORS.muted,
    };
  });
  const texts = rows.map(
    ({ name, auroc, low, high }) => `${name} ${fixed(auroc, 2)} (${fixed(low, 2)} to ${fixed(high, 2)})`,
  );
  const color = { stroke: (row: (typeof rows)[number]) => row.color };
  return drawFigure(canvas, {
    width: 620,
    height: 130,
    alt: `AUROC of a classifier that tells rows from real ones, with 95% intervals: ${texts.join("; ")}. 0.5 is chance.`,
    marginLeft: 140,
    marginBottom: 38,
    color: { type: "identity" },
    x: { domain: [Math.min(0.4, ...rows.map(({ low }) => low).filter(Number.isFinite)), 1.02] },
    y: { domain: rows.map(({ name }) => name), label: null },
    marks: [
      Plot.ruleX([0.5], { stroke: COLORS.rule }),
      Plot.ruleY(rows, { y: "name", x1: "low", x2: "high", ...color, strokeWidth: 2.5 }),
      Plot.dot(rows, { y: "name", x: "auroc", r: 4.5, fill: "color" }),
      Plot.axisX({
        color: COLORS.muted,
        tickSize: 4,
        ticks: 6,
        label: "AUROC: 0.5 is chance, 1 is perfect separation",
        labelAnchor: "center",
        labelArrow: "none",
      }),
      Plot.axisY({ color: COLORS.ink, tickSize: 0, label: null }),
    ],
  });
}
