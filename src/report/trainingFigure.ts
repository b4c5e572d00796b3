import {
  anyValue,
  checkOptions,
  integerFrom,
  PushforwardError,
  required,
  text,
  withDecimals,
} from "../check/index.ts";
import { bitsPerDimension } from "../images/model/index.ts";
import { nearestRank } from "../numerics/index.ts";
import { axis, type Range } from "./axis.ts";
import { isWithin } from "./columns.ts";
import { drawPanel, MARGINS } from "./panels.ts";
import { composeSheet, type Label, openCanvas } from "./sheet.ts";
import { sortFinite } from "./sortFinite.ts";
import { style, textWidth } from "./style.ts";

/** Options of `trainingFigure`. */
export interface TrainingFigureOptions {
  /** Mean log-densities of training and validation rows after each epoch, in nats. */
  epochs: readonly { epoch: number; trainLogDensity: number; validationLogDensity: number }[];
  /** The epoch whose parameters were kept. */
  bestEpoch: number;
  /** A model to compare with, such as a Gaussian fitted to the same rows: its mean log-density in nats. Default none. */
  baseline?: { label: string; value: number } | undefined;
  /** D, for a model of images: the figure shows bits per dimension; lower is better. Default: nats. */
  features?: number | undefined;
  /** The line above the curves. Default `Training`. */
  title?: string | undefined;
}

interface Curve {
  text: string;
  color: string;
  strokeWidth: number;
  line: (readonly [epoch: number, logDensity: number])[];
}

const FRAME = { left: MARGINS.left, top: 24, width: 520, height: 270 };

/**
 * Draws the mean log-density of each epoch as an SVG document, or for images the mean bits per dimension.
 *
 * The vertical axis is limited to the range in which most epochs are: first epochs with a much lower log-density are outside of
 * the frame, and epochs whose log-density is not finite are not drawn. Equal inputs give equal strings.
 *
 * @throws `ARGUMENT` if `bestEpoch` is not one of the epochs; `DATA` if no log-density is finite; `DEPENDENCY` if a package is not
 *   installed.
 */
export async function trainingFigure(figure: TrainingFigureOptions): Promise<string> {
  checkOptions("trainingFigure", figure, {
    epochs: required(anyValue),
    bestEpoch: required(integerFrom(0)),
    baseline: anyValue,
    features: integerFrom(1),
    title: text,
  });
  const { epochs, bestEpoch, features, title = "Training" } = figure;
  const shown = (logDensity: number) =>
    features === undefined ? logDensity : bitsPerDimension(logDensity, features);
  const baseline = figure.baseline && { ...figure.baseline, value: shown(figure.baseline.value) };
  const best = epochs.find(({ epoch }) => epoch === bestEpoch);
  if (!best) {
    const span = epochs.length
      ? `one of ${epochs[0]!.epoch} to ${epochs.at(-1)!.epoch}`
      : "at least one epoch";
    const contrast = { expected: span, received: String(bestEpoch) };
    throw new PushforwardError("ARGUMENT", "bestEpoch is not one of the epochs", contrast);
  }
  const finite = (line: Curve["line"]) => line.filter(([, value]) => Number.isFinite(value));
  const training = finite(epochs.map(({ epoch, trainLogDensity }) => [epoch, shown(trainLogDensity)]));
  const validation = finite(
    epochs.map(({ epoch, validationLogDensity }) => [epoch, shown(validationLogDensity)]),
  );
  const curves: Curve[] = [
    { text: "training", color: style.muted, strokeWidth: 1.2, line: training },
    { text: "validation", color: style.data, strokeWidth: 1.8, line: validation },
  ];
  const [from, to] = [epochs[0]!.epoch, epochs.at(-1)!.epoch];
  const pad = 0.02 * (to - from) || 1;
  const x = axis("epoch", [from - pad, to + pad], 1);
  // The worst values are cut off: the lowest log-densities, and the most bits.
  const sign = features === undefined ? 1 : -1;
  const [lowest, highest] = valueRange(
    sortFinite([...training, ...validation].map(([, value]) => sign * value)),
    baseline && sign * baseline.value,
  );
  const range: Range = sign === 1 ? [lowest, highest] : [-highest, -lowest];
  const y = axis(features === undefined ? "mean log-density (nats)" : "bits per dimension", range);
  const reference = baseline && isWithin(baseline.value, range) ? [baseline] : [];

  const canvas = await openCanvas();
  const { Plot } = canvas;
  const name = `${features === undefined ? "mean log-density" : "bits per dimension"} per epoch`;
  const panel = drawPanel(canvas, { name, frame: FRAME, x, y, labelled: { x: true, y: true } }, [
    Plot.ruleX([bestEpoch], { stroke: style.rule }),
    Plot.ruleY(reference, { y: "value", stroke: style.ink, strokeDasharray: "5,4" }),
    ...curves.map(({ line, color, strokeWidth }) =>
      Plot.line(line, { stroke: color, strokeWidth, clip: true }),
    ),
    // With few epochs the points are easier to see than a line.
    ...curves.map(({ line, color }) =>
      Plot.dot(epochs.length > 10 ? [] : line, { fill: color, r: 2.2, clip: true }),
    ),
    Plot.dot(
      validation.filter(([epoch, value]) => epoch === bestEpoch && isWithin(value, range)),
      { r: 4.5, fill: style.data, stroke: "#fff", strokeWidth: 1.5 },
    ),
  ]);
  const ends = [
    ...curves.flatMap(({ text, color, line }) => line.slice(-1).map(([, value]) => ({ text, color, value }))),
    ...reference.map(({ label, value }) => ({ text: label, color: style.ink, value })),
  ];
  const widest = Math.max(...ends.map(({ text }) => textWidth(text, style.textSize)));
  const figures = [`validation ${fixed(shown(best.validationLogDensity))}`];
  // Epoch 0, before training, has no log-density of the training rows.
  if (Number.isFinite(best.trainLogDensity)) figures.push(`training ${fixed(shown(best.trainLogDensity))}`);
  if (baseline)
    figures.push(`${baseline.label} ${fixed(baseline.value)}${reference[0] ? "" : " (off the axis)"}`);
  return composeSheet({
    title,
    caption: `Epoch ${bestEpoch}: ${figures.join(", ")} ${features === undefined ? "nats" : "bits per dimension"}.`,
    width: Math.ceil(FRAME.left + FRAME.width + 8 + widest + MARGINS.right),
    bodyHeight: FRAME.top + FRAME.height + MARGINS.bottom,
    panels: [panel],
    labels: [labelBestEpoch(bestEpoch, x.range), ...labelCurveEnds(ends, range)],
  });
}

/** A label above the best epoch, moved to be within the ends of the frame. */
function labelBestEpoch(bestEpoch: number, [from, to]: Range): Label {
  const text = `best epoch ${bestEpoch}`;
  const half = textWidth(text, style.textSize) / 2;
  const center = (FRAME.width * (bestEpoch - from)) / (to - from);
  const x = FRAME.left + Math.min(Math.max(center, half), FRAME.width - half);
  return { x, y: FRAME.top - 7, text, color: style.muted, anchor: "middle" };
}

/** Labels beside the frame at the ends of the curves, separated if they would overlap. */
function labelCurveEnds(
  ends: { text: string; color: string; value: number }[],
  [lower, upper]: Range,
): Label[] {
  const descending = ends.toSorted((a, b) => b.value - a.value);
  const gap = style.textSize + 3;
  const heights: number[] = [];
  for (const { value } of descending) {
    const height = FRAME.height * Math.min(1, (upper - value) / (upper - lower));
    heights.push(Math.max(height, (heights.at(-1) ?? -gap) + gap));
  }
  for (let k = heights.length - 1, lowest = FRAME.height; k >= 0; k--, lowest -= gap) {
    heights[k] = Math.min(heights[k]!, lowest);
  }
  const x = FRAME.left + FRAME.width + 8;
  return descending.map(({ text, color }, k) => ({ x, y: FRAME.top + heights[k]! + 4, text, color }));
}

const fixed = (value: number): string => withDecimals(value, 3).replace("-", "−");

/**
 * The range from the lowest to the highest value; low outliers are cut off, so that the part below the lower quartile is at most three
 * times as long as the part above it. The range includes a baseline whose distance from it is less than twice its length.
 */
function valueRange(sorted: Float64Array, baseline = Number.NaN): Range {
  if (sorted.length === 0) {
    throw new PushforwardError("DATA", "no log-density of the training is finite");
  }
  const highest = sorted.at(-1)!;
  const lowest = Math.max(sorted[0]!, 4 * nearestRank(sorted, 0.25) - 3 * highest);
  const span = highest - lowest;
  const near = isWithin(baseline, [lowest - 2 * span, highest + 2 * span]) ? [baseline] : [];
  const [lower, upper] = [Math.min(lowest, ...near), Math.max(highest, ...near)];
  const margin = 0.06 * (upper - lower) || Math.abs(upper) * 0.1 || 1;
  return [lower - margin, upper + margin];
}
