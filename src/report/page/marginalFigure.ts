import { percent } from "../../check/index.ts";
import { labelCounts } from "../../tables/evaluate/index.ts";
import { isWithin } from "../columns.ts";
import { corners, histogram, maxHeight } from "../panels.ts";
import type { Canvas } from "../sheet.ts";
import { sortFinite } from "../sortFinite.ts";
import { COLORS, drawFigure } from "./canvas.ts";
import { axisOf, type PageColumn } from "./column.ts";
import { fixed, shortened } from "./html.ts";

const WIDTH = 280;
const MAX_BARS = 8;
/** The number of bins is 2 n^(1/3) for n rows (the Rice rule), within these limits. */
const MIN_BINS = 10;
const MAX_BINS = 30;

/** The distribution of a column in real and in generated rows. Empty if the column has no value in one of them. */
export function marginalFigure(canvas: Canvas, column: PageColumn): string {
  const [real, generated] = [column.real, column.generated].map((values) =>
    values.filter((value) => !Number.isNaN(value)),
  );
  if (real.length === 0 || generated.length === 0) return "";
  const present = { ...column, real, generated };
  return column.labels ? labelBars(canvas, present) : numberHistogram(canvas, present);
}

function numberHistogram(canvas: Canvas, column: PageColumn): string {
  const { Plot } = canvas;
  const { real, generated, scale, name } = column;
  const { step } = scale!;
  let { range } = scale!;
  const maxBins = Math.max(MIN_BINS, Math.min(MAX_BINS, Math.round(2 * Math.cbrt(real.length))));
  let bins = maxBins;
  if (step > 0) {
    // Each bin contains the same number of possible values; otherwise equally frequent values would have bars of different heights.
    const shown = sortFinite(real.filter((value) => isWithin(value, range)));
    const low = shown[0];
    const cells = Math.round((shown[shown.length - 1] - low) / step) + 1;
    const width = Math.ceil(cells / maxBins);
    bins = Math.ceil(cells / width);
    range = [low - step / 2, low - step / 2 + bins * width * step];
  }
  const [bars, drawn] = [real, generated].map((values) => histogram(values, range, bins));
  const shown = axisOf({ ...column, scale: { ...scale!, range } }, WIDTH - 20, "horizontal");
  const peak = Math.max(maxHeight(bars), Math.min(maxHeight(drawn), 1.6 * maxHeight(bars))) * 1.05;
  const mode = (list: typeof bars) => list.reduce((a, b) => (b.height > a.height ? b : a));
  const center = ({ from, to }: (typeof bars)[number]) => Number(((from + to) / 2).toPrecision(3));
  const alt = scale!.isTime
    ? `Histograms of ${name} in real and generated rows.`
    : `Histograms of ${name}: real values are most frequent near ${center(mode(bars))}, generated ones near ${center(mode(drawn))}.`;
  return drawFigure(canvas, {
    width: WIDTH,
    height: shown.factor ? 164 : 150,
    alt,
    marginLeft: 8,
    marginBottom: shown.factor ? 36 : 22,
    x: { ...shown.scale, label: null },
    y: { domain: [0, peak], axis: null },
    marks: [
      Plot.areaY(corners(bars), { x: "0", y1: 0, y2: "1", fill: COLORS.real, fillOpacity: 0.35 }),
      Plot.line(corners(drawn), { stroke: COLORS.generated, strokeWidth: 1.6, clip: true }),
      Plot.ruleY([0], { stroke: COLORS.rule }),
      Plot.axisX({
        ...shown.ticks,
        color: COLORS.muted,
        tickSize: 4,
        label: shown.factor || null,
        labelArrow: "none",
        labelOffset: 34,
      }),
    ],
  });
}

function labelBars(canvas: Canvas, { name, labels = [], real, generated }: PageColumn): string {
  const { Plot } = canvas;
  const shares = (values: Float64Array) =>
    labelCounts({ labels, values }).map((count) => count / values.length);
  const [ofReal, ofGenerated] = [shares(real), shares(generated)];
  const order = labels.map((_, label) => label).sort((a, b) => ofReal[b] - ofReal[a]);
  const shown = order.length <= MAX_BARS ? order : order.slice(0, MAX_BARS - 1);
  const rareLabels = order.slice(shown.length);
  const sum = (shares: number[]) => rareLabels.reduce((total, label) => total + shares[label], 0);
  const bars = shown.map((label) => ({
    label: shortened(labels[label], 14),
    real: ofReal[label],
    generated: ofGenerated[label],
  }));
  if (rareLabels.length > 0)
    bars.push({ label: `${rareLabels.length} others`, real: sum(ofReal), generated: sum(ofGenerated) });
  // The texts of bars may be equal, because long labels are shortened.
  const keyed = bars.map((bar, i) => ({ ...bar, key: i }));
  const height = 30;
  const band = { y: "key", x1: 0 };
  const texts = keyed.map(
    (bar) => `${bar.label} ${percent(bar.real)} real, ${percent(bar.generated)} generated`,
  );
  return drawFigure(canvas, {
    width: WIDTH,
    height: height * bars.length + 28,
    alt: `Shares of the labels of ${name}: ${texts.join("; ")}.`,
    marginLeft: 100,
    x: {
      label: null,
      domain: [0, Math.max(...keyed.map((bar) => Math.max(bar.real, bar.generated))) * 1.02],
    },
    y: { domain: keyed.map(({ key }) => key), label: null, padding: 0.25 },
    marks: [
      Plot.barX(keyed, { ...band, x2: "real", fill: COLORS.real, fillOpacity: 0.6, insetBottom: 11 }),
      Plot.barX(keyed, { ...band, x2: "generated", fill: COLORS.generated, fillOpacity: 0.8, insetTop: 11 }),
      Plot.axisY({
        tickFormat: (key: number) => bars[key].label,
        tickSize: 0,
        color: COLORS.ink,
        label: null,
      }),
      Plot.axisX({
        ticks: 4,
        tickFormat: (share: number) => `${fixed(100 * share, 0)}%`,
        color: COLORS.muted,
        tickSize: 4,
        label: null,
      }),
    ],
  });
}
