import { type Canvas, composeSheet, openCanvas, type Panel } from "../../src/report/sheet.ts";
import { style } from "../../src/report/style.ts";
import type { Case } from "../speed/cases.ts";
import { AXES, type Axis, type Quantity, rowsOf } from "./curves.ts";
import { curvePoints, exponentsOf, type Points } from "./measured.ts";
import type { CurvePoint } from "./slope.ts";

const JOBS: Readonly<Record<Case["job"], { readonly text: string; readonly color: string }>> = {
  train: { text: "training step", color: style.model },
  logProb: { text: "log-density", color: style.data },
  sample: { text: "sampling", color: "#009e73" },
};

const FRAME = { left: 90, top: 12, width: 300, height: 260, gap: 100, right: 44, bottom: 64 };

/** Time and memory as functions of one size, on logarithmic axes, as an SVG document. */
export async function scalingFigure(axis: Axis, points: Points): Promise<string> {
  const canvas = await openCanvas();
  const { flows, jobs, title } = AXES[axis];
  const dashStyleNote = flows.length > 1 ? " Solid: MAF. Dashed: RealNVP." : "";
  return composeSheet({
    title: `${title}: time and memory`,
    caption: `Dotted: the growth of the counted operations (time), or the expected growth for large sizes (memory).${dashStyleNote}`,
    legend: jobs.map((job) => ({ ...JOBS[job], mark: "line" })),
    width: FRAME.left + 2 * FRAME.width + FRAME.gap + FRAME.right,
    bodyHeight: FRAME.top + FRAME.height + FRAME.bottom,
    panels: (["time", "memory"] as const).map((quantity, i) => panel(canvas, axis, points, quantity, i)),
  });
}

function panel(canvas: Canvas, axis: Axis, points: Points, quantity: Quantity, index: number): Panel {
  const { Plot, document } = canvas;
  const curvesOfAxis = exponentsOf(points).filter((e) => e.curve.axis === axis && e.quantity === quantity);
  const lines = curvesOfAxis.map(({ curve, expected, countedFlops, range: [from] }) => {
    const factor = quantity === "time" ? timeFactor(axis, curve.cases[0].case) : 1;
    const scaledPoints = curvePoints(curve, points, quantity).map(([x, y]): CurvePoint => [x, factor * y]);
    return {
      curve,
      scaledPoints,
      guide: powerLawThroughLast(
        scaledPoints.filter(([x]) => x >= from),
        countedFlops ?? expected.exponent,
      ),
    };
  });
  const [edge, ticks] = [24, 50];
  const picture = Plot.plot({
    document,
    width: FRAME.width + ticks + edge,
    height: FRAME.height + ticks + edge,
    marginLeft: ticks,
    marginRight: edge,
    marginTop: edge,
    marginBottom: ticks,
    x: { type: "log", axis: null },
    y: { type: "log", axis: null },
    marks: [
      Plot.frame({ stroke: style.rule }),
      ...lines.flatMap(({ curve, scaledPoints, guide }) => {
        const { color } = JOBS[curve.job];
        const dashed = curve.flow === "maf" ? {} : { strokeDasharray: "6,4" };
        return [
          Plot.line(guide, { stroke: color, strokeWidth: 1, strokeDasharray: "1,3" }),
          Plot.line(scaledPoints, { stroke: color, strokeWidth: 1.6, ...dashed }),
          Plot.dot(scaledPoints, { fill: color, r: 2.4 }),
        ];
      }),
      Plot.axisX(axisTicks(axis === "rows" ? [1e3, 1e4, 1e5, 1e6] : AXES[axis].values)),
      Plot.axisY(axisTicks(roundTicks(lines.flatMap(({ scaledPoints }) => scaledPoints)))),
    ],
  });
  const x = FRAME.left + index * (FRAME.width + FRAME.gap);
  const middle = { x: x + FRAME.width / 2, y: FRAME.top + FRAME.height / 2 };
  return {
    name: quantity,
    picture,
    x: x - ticks,
    y: FRAME.top - edge,
    labels: [
      { ...middle, y: FRAME.top + FRAME.height + 40, text: XLABEL[axis], anchor: "middle" },
      { ...middle, x: x - 56, text: yLabel(axis, quantity), anchor: "middle", upright: true },
    ],
  };
}

const XLABEL: Readonly<Record<Axis, string>> = {
  dimension: "features D",
  width: "hidden units in each of two layers",
  depth: "transforms",
  rows: "rows",
};

const yLabel = (axis: Axis, quantity: Quantity): string => {
  if (quantity === "memory") return "peak memory (MiB)";
  return axis === "rows" ? "time (ms)" : "time per row (µs)";
};

/** Factor from milliseconds to the unit of the axis: microseconds per row or, if the rows vary, milliseconds in total. */
const timeFactor = (axis: Axis, benchCase: Case): number => (axis === "rows" ? 1 : 1000 / rowsOf(benchCase));

/** The power law c x^exponent through the last of the points, at the x of all of them. */
function powerLawThroughLast(points: readonly CurvePoint[], exponent: number): CurvePoint[] {
  const [lastX, lastY] = points[points.length - 1];
  return points.map(([x]) => [x, lastY * (x / lastX) ** exponent]);
}

/** Powers of ten in the range of y; also 2 and 5 times these if the range spans less than a factor of 100. */
function roundTicks(points: readonly CurvePoint[]): number[] {
  const [least, greatest] = [Math.min(...points.map(([, y]) => y)), Math.max(...points.map(([, y]) => y))];
  const mantissas = greatest / least > 100 ? [1] : [1, 2, 5];
  const powers = Array.from({ length: 10 }, (_, i) => 10 ** (i - 3));
  return powers
    .flatMap((power) => mantissas.map((mantissa) => mantissa * power))
    .filter((tick) => tick >= least && tick <= greatest);
}

/** Explicit ticks with labels, since Plot omits labels of a logarithmic axis that do not begin with 1 to 5. */
const axisTicks = (ticks: readonly number[]) => ({
  ticks: [...ticks],
  text: ticks.map((value) => value.toLocaleString("en-US")),
  tickSize: 4,
  fontSize: style.tickSize,
  color: style.muted,
  label: null,
});
