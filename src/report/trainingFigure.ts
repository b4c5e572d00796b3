import { PushforwardError } from "../errors.ts";
import { axis, type Range } from "./axis.ts";
import { within } from "./columns.ts";
import { drawPanel, room } from "./panels.ts";
import { quantile, sortFinite } from "./quantiles.ts";
import { composeSheet, type Label, openCanvas } from "./sheet.ts";
import { style, textWidth } from "./style.ts";

/** Options of `trainingFigure`. */
export interface TrainingFigureOptions {
  /** Mean log-densities of training and validation rows after each epoch, in nats. */
  epochs: readonly { epoch: number; trainLogDensity: number; validationLogDensity: number }[];
  /** The epoch whose parameters were kept. */
  bestEpoch: number;
  /** A model to compare with, such as a Gaussian fitted to the same rows: its mean log-density in nats. */
  baseline?: { label: string; value: number };
  /** The line above the curves. Default `Training`. */
  title?: string;
}

interface Curve {
  text: string;
  color: string;
  strokeWidth: number;
  line: (readonly [epoch: number, logDensity: number])[];
}

const frame = { left: room.left, top: 24, width: 520, height: 270 };

/**
 * Mean log-density per epoch, as an SVG document.
 *
 * The vertical range shows where training went, not how badly it began: terrible epochs leave the frame, and those
 * whose log-density is not finite are not drawn. The same input gives the same string.
 *
 * @throws PushforwardError `ARGUMENT` when `bestEpoch` is none of the epochs, `DATA` when no log-density is finite.
 */
export async function trainingFigure(figure: TrainingFigureOptions): Promise<string> {
  const { epochs, bestEpoch, baseline, title = "Training" } = figure;
  const best = epochs.find(({ epoch }) => epoch === bestEpoch);
  if (!best) {
    const span = epochs.length
      ? `one of ${epochs[0]!.epoch} to ${epochs.at(-1)!.epoch}`
      : "at least one epoch";
    const contrast = { expected: span, received: String(bestEpoch) };
    throw new PushforwardError("ARGUMENT", "The best epoch is not among the epochs", contrast);
  }
  const finite = (line: Curve["line"]) => line.filter(([, value]) => Number.isFinite(value));
  const training = finite(epochs.map(({ epoch, trainLogDensity }) => [epoch, trainLogDensity]));
  const validation = finite(epochs.map(({ epoch, validationLogDensity }) => [epoch, validationLogDensity]));
  const curves: Curve[] = [
    { text: "training", color: style.muted, strokeWidth: 1.2, line: training },
    { text: "validation", color: style.data, strokeWidth: 1.8, line: validation },
  ];
  const [from, to] = [epochs[0]!.epoch, epochs.at(-1)!.epoch];
  const pad = 0.02 * (to - from) || 1;
  const x = axis("epoch", [from - pad, to + pad], 1);
  const range = valueRange(
    sortFinite([...training, ...validation].map(([, value]) => value)),
    baseline?.value,
  );
  const y = axis("mean log-density (nats)", range);
  const reference = baseline && within(baseline.value, range) ? [baseline] : [];

  const canvas = await openCanvas();
  const { Plot } = canvas;
  const name = "mean log-density per epoch";
  const panel = drawPanel(canvas, { name, frame, x, y, write: { x: true, y: true } }, [
    Plot.ruleX([bestEpoch], { stroke: style.rule }),
    Plot.ruleY(reference, { y: "value", stroke: style.ink, strokeDasharray: "5,4" }),
    ...curves.map(({ line, color, strokeWidth }) =>
      Plot.line(line, { stroke: color, strokeWidth, clip: true }),
    ),
    // A few epochs are points more than a line.
    ...curves.map(({ line, color }) =>
      Plot.dot(epochs.length > 10 ? [] : line, { fill: color, r: 2.2, clip: true }),
    ),
    Plot.dot(
      validation.filter(([epoch, value]) => epoch === bestEpoch && within(value, range)),
      { r: 4.5, fill: style.data, stroke: "#fff", strokeWidth: 1.5 },
    ),
  ]);
  const ends = [
    ...curves.flatMap(({ text, color, line }) => line.slice(-1).map(([, value]) => ({ text, color, value }))),
    ...reference.map(({ label, value }) => ({ text: label, color: style.ink, value })),
  ];
  const widest = Math.max(...ends.map(({ text }) => textWidth(text, style.textSize)));
  const figures = [`validation ${nats(best.validationLogDensity)}`];
  // The start has none.
  if (Number.isFinite(best.trainLogDensity)) figures.push(`training ${nats(best.trainLogDensity)}`);
  if (baseline)
    figures.push(`${baseline.label} ${nats(baseline.value)}${reference[0] ? "" : " (off the axis)"}`);
  return composeSheet({
    title,
    caption: `Epoch ${bestEpoch}: ${figures.join(", ")} nats.`,
    width: Math.ceil(frame.left + frame.width + 8 + widest + room.right),
    bodyHeight: frame.top + frame.height + room.bottom,
    panels: [panel],
    labels: [nameBest(bestEpoch, x.range), ...nameEnds(ends, range)],
  });
}

/** Above the frame, over the best epoch as far as the frame's ends allow. */
function nameBest(bestEpoch: number, [from, to]: Range): Label {
  const text = `best epoch ${bestEpoch}`;
  const half = textWidth(text, style.textSize) / 2;
  const centre = (frame.width * (bestEpoch - from)) / (to - from);
  const x = frame.left + Math.min(Math.max(centre, half), frame.width - half);
  return { x, y: frame.top - 7, text, color: style.muted, anchor: "middle" };
}

/** Beside the frame, where each line ends or leaves it; moved apart where texts would overlap. */
function nameEnds(ends: { text: string; color: string; value: number }[], [lower, upper]: Range): Label[] {
  const descending = ends.toSorted((a, b) => b.value - a.value);
  const gap = style.textSize + 3;
  const heights: number[] = [];
  for (const { value } of descending) {
    const height = frame.height * Math.min(1, (upper - value) / (upper - lower));
    heights.push(Math.max(height, (heights.at(-1) ?? -gap) + gap));
  }
  for (let k = heights.length - 1, lowest = frame.height; k >= 0; k--, lowest -= gap) {
    heights[k] = Math.min(heights[k]!, lowest);
  }
  const x = frame.left + frame.width + 8;
  return descending.map(({ text, color }, k) => ({ x, y: frame.top + heights[k]! + 4, text, color }));
}

const nats = (value: number): string => value.toFixed(3).replace("-", "−");

/**
 * From the lowest to the highest value, but below the lower quartile at most three times as far as the highest value
 * is above it.
 * A baseline less than twice that span away is taken in.
 */
function valueRange(sorted: Float64Array, baseline = Number.NaN): Range {
  if (sorted.length === 0) {
    throw new PushforwardError("DATA", "There is no training to draw", { expected: "finite log-densities" });
  }
  const highest = sorted.at(-1)!;
  const lowest = Math.max(sorted[0]!, 4 * quantile(sorted, 0.25) - 3 * highest);
  const span = highest - lowest;
  const near = within(baseline, [lowest - 2 * span, highest + 2 * span]) ? [baseline] : [];
  const [lower, upper] = [Math.min(lowest, ...near), Math.max(highest, ...near)];
  const margin = 0.06 * (upper - lower) || Math.abs(upper) * 0.1 || 1;
  return [lower - margin, upper + margin];
}
