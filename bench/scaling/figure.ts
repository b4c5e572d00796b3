import { type Canvas, composeSheet, openCanvas, type Panel } from "../../src/report/sheet.ts";
import { style } from "../../src/report/style.ts";
import type { Case } from "../speed/cases.ts";
import { AXES, type Axis, type Quantity, rowsOf } from "./curves.ts";
import { exponentsOf, type Points, placesOf } from "./measured.ts";
import type { Place } from "./slope.ts";

const JOBS: Readonly<Record<Case["job"], { readonly text: string; readonly color: string }>> = {
  train: { text: "training step", color: style.model },
  logProb: { text: "log-density", color: style.data },
  sample: { text: "sampling", color: "#009e73" },
};

const FRAME = { left: 90, top: 12, width: 300, height: 260, apart: 100, right: 44, bottom: 64 };

/** Time and memory along an axis, both logarithmic, as an SVG document. */
export async function scalingFigure(axis: Axis, points: Points): Promise<string> {
  const canvas = await openCanvas();
  const { flows, jobs, title } = AXES[axis];
  const several = flows.length > 1 ? " Solid: MAF. Dashed: RealNVP." : "";
  return composeSheet({
    title: `${title}: time and memory`,
    caption: `Dotted, through the last point: for time as the counted operations grow, for memory as it should far out.${several}`,
    legend: jobs.map((job) => ({ ...JOBS[job], mark: "line" })),
    width: FRAME.left + 2 * FRAME.width + FRAME.apart + FRAME.right,
    bodyHeight: FRAME.top + FRAME.height + FRAME.bottom,
    panels: (["time", "memory"] as const).map((quantity, i) => panel(canvas, axis, points, quantity, i)),
  });
}

function panel(canvas: Canvas, axis: Axis, points: Points, quantity: Quantity, index: number): Panel {
  const { Plot, document } = canvas;
  const drawn = exponentsOf(points).filter((e) => e.curve.axis === axis && e.quantity === quantity);
  const lines = drawn.map(({ curve, should, counted, range: [from] }) => {
    const factor = quantity === "time" ? unit(axis, curve.cases[0].case) : 1;
    const places = placesOf(curve, points, quantity).map(([x, y]): Place => [x, factor * y]);
    return {
      curve,
      places,
      guide: guide(
        places.filter(([x]) => x >= from),
        counted ?? should.exponent,
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
      ...lines.flatMap(({ curve, places, guide }) => {
        const { color } = JOBS[curve.job];
        const dashed = curve.flow === "maf" ? {} : { strokeDasharray: "6,4" };
        return [
          Plot.line(guide, { stroke: color, strokeWidth: 1, strokeDasharray: "1,3" }),
          Plot.line(places, { stroke: color, strokeWidth: 1.6, ...dashed }),
          Plot.dot(places, { fill: color, r: 2.4 }),
        ];
      }),
      Plot.axisX(ticksAt(axis === "rows" ? [1e3, 1e4, 1e5, 1e6] : AXES[axis].values)),
      Plot.axisY(ticksAt(roundTicks(lines.flatMap(({ places }) => places)))),
    ],
  });
  const x = FRAME.left + index * (FRAME.width + FRAME.apart);
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

/** What milliseconds are multiplied by: microseconds a row, but along the rows the whole time. */
const unit = (axis: Axis, benchCase: Case): number => (axis === "rows" ? 1 : 1000 / rowsOf(benchCase));

/** The power law through the last place. */
function guide(places: readonly Place[], exponent: number): Place[] {
  const [lastX, lastY] = places[places.length - 1];
  return places.map(([x]) => [x, lastY * (x / lastX) ** exponent]);
}

/** Round numbers: powers of ten, or where these are few, 2 and 5 times them too. */
function roundTicks(places: readonly Place[]): number[] {
  const [least, greatest] = [Math.min(...places.map(([, y]) => y)), Math.max(...places.map(([, y]) => y))];
  const mantissas = greatest / least > 100 ? [1] : [1, 2, 5];
  const powers = Array.from({ length: 10 }, (_, i) => 10 ** (i - 3));
  return powers
    .flatMap((power) => mantissas.map((mantissa) => mantissa * power))
    .filter((tick) => tick >= least && tick <= greatest);
}

/** Given as an array, since Plot leaves out numbers of a logarithmic axis that do not begin with 1 to 5. */
const ticksAt = (ticks: readonly number[]) => ({
  ticks: [...ticks],
  text: ticks.map((value) => value.toLocaleString("en-US")),
  tickSize: 4,
  fontSize: style.tickSize,
  color: style.muted,
  label: null,
});
