import { createColors } from "picocolors";
import { count, counted, shellQuoted } from "../check/index.ts";
import type { SplitWithTest } from "../dataset/index.ts";
import { type ImageSet, shapeText } from "../images/files/index.ts";
import { bitsPerDimension } from "../images/model/index.ts";
import { imageSize } from "../nn/index.ts";
import type { MeanEstimate } from "../numerics/index.ts";
import type { FitResult } from "../train/index.ts";
import { dataOfCommand, ending, filesAndCommands, type NextCommand } from "./fitReport.ts";
import type { ImageFitValues } from "./fitValues.ts";
import { duration, estimate } from "./format.ts";
import { type Io, supportsColor } from "./io.ts";
import { program } from "./program.ts";

/** A finished `pushforward fit` of images. Log-probabilities are in nats. */
export interface ImageReport {
  readonly values: ImageFitValues;
  readonly images: ImageSet;
  readonly rows: SplitWithTest;
  readonly result: FitResult;
  readonly evaluation: {
    readonly by: "test" | "validation";
    readonly logProb: MeanEstimate;
    /** The log-probability under independent pixels; see `pixelHistograms`. */
    readonly baseline: MeanEstimate;
    /** The log-probability under the model minus the one under independent pixels. */
    readonly gain: MeanEstimate;
  };
  /** Paths of the pictures. */
  readonly pictures: readonly string[];
  readonly milliseconds: number;
  /** The command that continues a training run that the time limit ended. */
  readonly resumeCommand: string | undefined;
}

/** "2.105": the bits per dimension of a mean log-probability in nats of images with D features. */
export const bitsText = (logProb: number, features: number): string =>
  bitsPerDimension(logProb, features).toFixed(3);

/** "2.105 ± 0.012": the bits per dimension of a mean log-probability, with its standard error. */
export const bitsEstimate = ({ count, mean, standardError }: MeanEstimate, features: number): string =>
  estimate({
    count,
    mean: bitsPerDimension(mean, features),
    standardError: Math.abs(bitsPerDimension(standardError, features)),
  });

/** The last event of `--json`. */
export function imageEvent({
  values,
  images,
  rows,
  result,
  evaluation,
  pictures,
  milliseconds,
}: ImageReport) {
  const features = imageSize(images.shape);
  const { by, logProb, baseline } = evaluation;
  return {
    event: "done",
    model: values.output,
    flow: values.flow,
    image: images.shape,
    classes: values.classes ? images.classes!.names : [],
    rows: {
      training: rows.training.rows,
      validation: rows.validation.rows,
      test: rows.test?.rows ?? 0,
    },
    epochs: result.epochs.length,
    bestEpoch: result.bestEpoch,
    stopped: result.stopped,
    validationLogDensity: result.validationLogDensity,
    heldOut: {
      by,
      rows: logProb.count,
      draws: values.draws,
      meanLogDensity: logProb.mean,
      standardError: logProb.standardError,
      bitsPerDimension: bitsPerDimension(logProb.mean, features),
      independentPixels: bitsPerDimension(baseline.mean, features),
    },
    pictures,
    seconds: Math.round(milliseconds) / 1000,
  };
}

/** The report for people. */
export function imageReport(report: ImageReport, { stdout, env }: Io): string {
  const { values, images, rows, result, evaluation, milliseconds } = report;
  const { bold } = createColors(supportsColor(stdout, env));
  const features = imageSize(images.shape);
  const { by, logProb, baseline, gain } = evaluation;
  const classes = values.classes ? `, given ${images.classes!.names.length} classes` : "";
  const parts = [
    `${count(rows.training.rows)} for training${values.flips ? " and as many reflected" : ""}`,
    `${count(rows.validation.rows)} for validation`,
    ...(rows.test ? [`${count(rows.test.rows)} for the test`] : []),
  ];
  const role = by === "test" ? "not used in training" : "they also decided when training ended";
  const fewerOrMore = gain.mean >= 0 ? "fewer" : "more";
  return [
    `Learned ${counted(images.count, "image")} of ${shapeText(images.shape)}${classes} in ${duration(milliseconds)} (${values.flow}, ${ending(result)}).`,
    `Images: ${parts.join(", ")}.`,
    "",
    `${bold("Bits per dimension")} of ${counted(logProb.count, `${by} image`)} (${role}; lower is better):`,
    `  this model           ${bitsEstimate(logProb, features)}`,
    `  independent pixels   ${bitsEstimate(baseline, features)}   (a histogram of each pixel, from the training images)`,
    `The model needs ${bitsEstimate({ ...gain, mean: -Math.abs(gain.mean), standardError: gain.standardError }, features)} bits per dimension ${fewerOrMore} than independent pixels.`,
    "",
    ...filesAndCommands(report, result, bold, nextCommands(values)),
  ].join("\n");
}

function nextCommands(values: ImageFitValues): NextCommand[] {
  const model = shellQuoted(values.output);
  return [
    [`${program()} sample ${model} -n 64 -o samples.png`, "new images, in one picture"],
    [
      `${program()} score ${model} ${dataOfCommand(values)} -o scored.csv`,
      "bits per dimension of each image",
    ],
    [`${program()} evaluate ${model} OTHER`, "bits per dimension of other images"],
  ];
}
