import { createColors } from "picocolors";
import { columnList, shellQuoted } from "../data/columnList.ts";
import { formatOf } from "../data/format.ts";
import type { InMemoryDataset } from "../dataset/index.ts";
import type { Settings } from "./fitSettings.ts";
import { count, counted, duration, nats, visible } from "./format.ts";
import { written } from "./given.ts";
import { colorful, type Io } from "./io.ts";
import type { HeldOut, Judgement } from "./judgement.ts";
import { program } from "./program.ts";
import type { RunningMean } from "./runningMean.ts";
import type { Trained } from "./training.ts";
import type { TrainingData } from "./trainingData.ts";

export interface Report {
  readonly settings: Settings;
  readonly data: TrainingData;
  readonly rows: HeldOut;
  readonly trained: Trained;
  readonly judgement: Judgement;
  readonly pictures: readonly string[];
  readonly milliseconds: number;
  /** The command that goes on, if training did not come to its end. */
  readonly resume?: string;
}

/** What `--json` prints at the end. */
export function doneEvent(report: Report) {
  const { settings, data, rows, trained, judgement, pictures, milliseconds } = report;
  const { training, validation, test } = rows;
  const { by, flow, gaussian, gain } = judgement;
  return {
    event: "done",
    model: settings.output,
    flow: trained.name,
    columns: data.columns,
    given: data.given,
    rows: {
      training: training.rows,
      validation: validation.rows,
      test: test?.rows ?? 0,
      missing: data.missing,
    },
    epochs: trained.epochs.length,
    bestEpoch: trained.bestEpoch,
    stopped: trained.stopped,
    validationLogDensity: trained.validationLogDensity,
    heldOut: {
      by,
      rows: flow.count,
      meanLogDensity: flow.mean,
      standardError: flow.standardError,
      gaussian: gaussian?.mean ?? null,
      gain: gain?.mean ?? null,
      gainStandardError: gain?.standardError ?? null,
    },
    pictures,
    seconds: Math.round(milliseconds) / 1000,
  };
}

/** The names of columns, if they are few enough to be read. */
const named = (columns: readonly string[]): string =>
  columns.length > 12 ? counted(columns.length, "column") : visible(columns.join(", "));

/** What people read at the end. */
export function fitReport(report: Report, { stdout, env }: Io): string {
  const { settings, data, rows, trained, judgement, pictures, milliseconds, resume } = report;
  const { bold } = createColors(colorful(stdout, env));
  const given = data.given.length > 0 ? ` given ${named(data.given)}` : "";
  const judges = counted(judgement.flow.count, `${judgement.by} row`);
  const role = judgement.by === "test" ? "training never saw them" : "they also decided when training ended";
  return [
    `Learned ${named(data.columns)}${given} in ${duration(milliseconds)} (${trained.name}, ${ending(trained)}).`,
    `Rows: ${rowsUsed(rows, data)}.`,
    "",
    `${bold("Mean log-density")} of ${judges} in nats (${role}):`,
    `  this flow    ${withError(judgement.flow)}`,
    ...comparison(judgement, rows.training),
    "",
    `${bold("Model")}     ${visible(settings.output)}`,
    ...pictures.map((path, i) => `${i === 0 ? bold("Pictures") : "        "}  ${visible(path)}`),
    "",
    ...(trained.epochs.length === 0
      ? ["The time was up within the first epoch: give more with --max-minutes.", ""]
      : []),
    ...(resume
      ? ["The time was up before training came to its end. To go on:", `  ${visible(resume)}`, ""]
      : []),
    "Next:",
    ...nextCommands(settings, data),
    "",
  ].join("\n");
}

function ending({ epochs, bestEpoch, stopped }: Trained): string {
  const why = {
    epochs: "as many as allowed",
    patience: "no more gain",
    time: "time was up",
    signal: "stopped",
  };
  const best = bestEpoch === 0 ? "none better than the start" : `the best of them ${bestEpoch}`;
  return `${counted(epochs.length, "epoch")}, ${best}; ${why[stopped]}`;
}

function rowsUsed({ training, validation, test }: HeldOut, { missing }: TrainingData): string {
  const parts = [`${count(training.rows)} to learn from`, `${count(validation.rows)} for validation`];
  if (test) parts.push(`${count(test.rows)} kept aside as a test`);
  if (missing > 0) parts.push(`${count(missing)} left out for missing values`);
  return parts.join(", ");
}

function comparison({ gaussian, gain }: Judgement, training: HeldOut["training"]): string[] {
  if (!gaussian || !gain) return ["  (There are too few rows to fit a Gaussian for comparison.)"];
  const error = gain.count > 1 ? ` ± ${nats(gain.standardError)}` : "";
  const known = training.sample.rows;
  const fitted = known < training.rows ? `${count(known)} of these rows` : "the same rows";
  return [
    `  a Gaussian   ${withError(gaussian)}   (full covariance, fitted to ${fitted})`,
    `The flow is ${nats(Math.abs(gain.mean))}${error} nats a row ${gain.mean >= 0 ? "above" : "below"} the Gaussian.`,
  ];
}

const withError = ({ mean, standardError, count }: RunningMean): string =>
  `${nats(mean).padStart(9)}${count > 1 ? ` ± ${nats(standardError)}` : ""}`;

/** A query that is longer is not worth repeating. */
const LONGEST_SOURCE = 60;

function nextCommands(
  { output, data: sources, na }: Settings,
  { given, labels, rows }: TrainingData,
): string[] {
  const model = shellQuoted(output);
  const source = sources.map(shellQuoted).join(" ");
  const data = source.length > LONGEST_SOURCE || sources.includes("-") ? "DATA" : source;
  const missing = na.length > 0 ? ` --na ${columnList(na)}` : "";
  const scored = formatOf(sources[0]!)?.name === "parquet" ? "scored.parquet" : "scored.csv";
  const condition =
    given.length > 0 ? ` --given ${written(given, firstValues(rows.sample, given.length), labels)}` : "";
  const commands = [
    [`${program()} score ${model} ${data}${missing} -o ${scored}`, "the rows with their log-density"],
    [`${program()} sample ${model}${condition} -n 1000 -o samples.csv`, "new rows"],
    [`${program()} evaluate ${model} other.csv${missing}`, "how well it describes other rows"],
  ].map(([command, purpose]) => [visible(command!), purpose!] as const);
  const width = Math.max(...commands.map(([command]) => command.length));
  return commands.map(([command, purpose]) => `  ${command.padEnd(width)}   ${purpose}`);
}

/** What the first row is conditional on, in a few digits: an example. */
const firstValues = ({ context }: InMemoryDataset, conditions: number): number[] =>
  [...context.subarray(0, conditions)].map((value) => Number(value.toPrecision(4)));
