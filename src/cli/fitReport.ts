import { createColors } from "picocolors";
import { count, counted, nats, percent, shellQuoted } from "../check/index.ts";
import type { Dataset, SplitWithTest } from "../dataset/index.ts";
import type { Flow } from "../flows/index.ts";
import type { MeanEstimate } from "../numerics/index.ts";
import type { AnomalyReference } from "../tables/anomalies/index.ts";
import { hasProbabilities, learnedColumns } from "../tables/columns/index.ts";
import { type ComparedDensity, GAUSSIAN, INDEPENDENT, MIN_REPORT_ROWS } from "../tables/evaluate/index.ts";
import { type FittedRows, isKernelDensity, type Member } from "../tables/fit/index.ts";
import { formatOf, type TrainingTable } from "../tables/io/index.ts";
import { columnList } from "../tables/options/index.ts";
import { BOUND_NOTE } from "./boundNote.ts";
import type { FitValues } from "./fitOptions.ts";
import { duration, estimate, singleLine } from "./format.ts";
import { exampleOf } from "./given.ts";
import { type Io, supportsColor } from "./io.ts";
import { program } from "./program.ts";
import { heldOutRows } from "./reportRows.ts";

/** The log-densities of held-out rows under the flow and under simpler densities. */
export interface HeldOutEvaluation {
  /** The rows that were evaluated: the test rows or, if there are none, the validation rows, which decided when training ended. */
  readonly by: "test" | "validation";
  readonly logDensity: MeanEstimate;
  /** Simpler densities, all in the measure of the model. */
  readonly references: readonly ComparedDensity[];
  /** The best of them, and its mean log-density of the validation rows. */
  readonly onValidation?: { readonly label: string; readonly value: number };
}

/** The simpler density with the highest mean log-density. */
export const bestOf = (references: readonly ComparedDensity[]): ComparedDensity | undefined =>
  references.reduce<ComparedDensity | undefined>(
    (best, each) => (best && best.logDensity.mean >= each.logDensity.mean ? best : each),
    undefined,
  );

/** A finished `pushforward fit`. */
export interface Report {
  readonly values: FitValues;
  readonly table: TrainingTable;
  readonly rows: SplitWithTest;
  /** The number of training and validation rows that `--contamination` left out. */
  readonly trimmed: number;
  readonly trained: FittedRows;
  /** The calibration scores and training rows for `pushforward anomalies`, if the model has them. */
  readonly anomalies: AnomalyReference | undefined;
  readonly evaluation: HeldOutEvaluation;
  /** Paths of the pictures. */
  readonly pictures: readonly string[];
  readonly milliseconds: number;
  /** The command that continues a training run that the time limit ended. */
  readonly resumeCommand: string | undefined;
}

/** The object that `--json` prints at the end. */
export function doneEvent({
  values,
  table,
  rows,
  trimmed,
  trained,
  evaluation,
  pictures,
  milliseconds,
}: Report) {
  const { training, validation, test } = rows;
  const { by, logDensity, references } = evaluation;
  const best = bestOf(references);
  const meanOf = (name: string) => references.find((each) => each.name === name)?.logDensity.mean;
  return {
    event: "done",
    model: values.output,
    flow: trained.name,
    columns: learnedColumns(table),
    given: table.given,
    rows: {
      training: training.rows,
      validation: validation.rows,
      test: test?.rows ?? 0,
      missing: table.missing,
      ...(values.contamination !== undefined && { trimmed }),
    },
    crossValidated: isCrossValidated(trained),
    epochs: trained.epochs.length,
    bestEpoch: trained.bestEpoch,
    stopped: trained.stopped,
    validationLogDensity: trained.validationLogDensity,
    heldOut: {
      by,
      rows: logDensity.count,
      meanLogDensity: logDensity.mean,
      standardError: logDensity.standardError,
      independent: meanOf(INDEPENDENT) ?? null,
      gaussian: meanOf(GAUSSIAN) ?? null,
      reference: best?.name ?? null,
      gain: best?.gain.mean ?? null,
      gainStandardError: best?.gain.standardError ?? null,
    },
    pictures,
    seconds: Math.round(milliseconds) / 1000,
  };
}

/** The report for people. */
export function fitReport(report: Report, { stdout, env }: Io): string {
  const { table, rows, trimmed, trained, anomalies, evaluation, milliseconds } = report;
  const { bold } = createColors(supportsColor(stdout, env));
  const given = table.given.length > 0 ? ` given ${named(table.given)}` : "";
  const heldOut = counted(evaluation.logDensity.count, `${evaluation.by} row`);
  const role = evaluation.by === "test" ? "not used in training" : "they also decided when training ended";
  return [
    `Learned ${named(learnedColumns(table))}${given} in ${duration(milliseconds)} (${trainingText(trained)}).`,
    `Rows: ${rowCounts(report)}.`,
    ...(trimmed > 0
      ? [`--contamination left out the ${counted(trimmed, "most unusual row")} of training and validation.`]
      : []),
    "",
    `${bold("Mean log-density")} of ${heldOut} in nats (${role}):`,
    `  this model   ${aligned(evaluation.logDensity)}`,
    ...comparison(evaluation, trained.flow, table.table, rows.training),
    ...(trained.flow.isBound ? [BOUND_NOTE] : []),
    ...membersOf(trained),
    ...storedRowsNote(trained, anomalies),
    "",
    ...filesAndCommands(report, trained, bold, nextCommands(report)),
  ].join("\n");
}

/** A command to run next, and its purpose. */
export type NextCommand = readonly [command: string, purpose: string];

/** The end of a report for people: the files that were written, and the commands to run next. */
export function filesAndCommands(
  { values, pictures, resumeCommand }: Pick<Report, "values" | "pictures" | "resumeCommand">,
  { epochs }: Pick<FittedRows, "epochs">,
  bold: (text: string) => string,
  next: readonly NextCommand[],
): string[] {
  const commands = next.map(([command, purpose]) => [singleLine(command), purpose] as const);
  const width = Math.max(...commands.map(([command]) => command.length));
  return [
    `${bold("Model")}     ${singleLine(values.output)}`,
    ...pictures.map((path, i) => `${i === 0 ? bold("Pictures") : "        "}  ${singleLine(path)}`),
    "",
    ...(epochs.length === 0
      ? ["Training ended within the first epoch. Give it more time with --max-minutes.", ""]
      : []),
    ...(resumeCommand
      ? ["--max-minutes ended the training. To continue:", `  ${singleLine(resumeCommand)}`, ""]
      : []),
    "Next:",
    ...commands.map(([command, purpose]) => `  ${command.padEnd(width)}   ${purpose}`),
    "",
  ];
}

/** The names of columns, or their number if there are too many to read. */
const named = (columns: readonly string[]): string =>
  columns.length > 12 ? counted(columns.length, "column") : singleLine(columns.join(", "));

/**
 * The name of a model, and how its training ended. The epochs of a mixture are those of one member, which is named; they say nothing about a
 * mixture without this member.
 */
export function trainingText(
  trained: Pick<FittedRows, "name" | "trainingCurveMember" | "epochs" | "bestEpoch" | "stopped"> & {
    readonly members?: readonly Pick<Member, "name" | "weight">[];
  },
): string {
  const { name, trainingCurveMember = name, members = [] } = trained;
  if (trainingCurveMember === name) return `${name}, ${ending(trained)}`;
  const isMember = members.some((member) => member.name === trainingCurveMember && member.weight > 0);
  return isMember ? `${name}; ${trainingCurveMember}, ${ending(trained)}` : name;
}

/** How a training run ended, with its number of epochs. */
export function ending({
  epochs,
  bestEpoch,
  stopped,
}: Pick<FittedRows, "epochs" | "bestEpoch" | "stopped">): string {
  const reason = {
    epochs: "all epochs done",
    patience: "no further improvement",
    time: "--max-minutes reached",
    signal: "stopped",
  }[stopped];
  const best = bestEpoch === 0 ? "none better than the initial weights" : `the best is epoch ${bestEpoch}`;
  return `${counted(epochs.length, "epoch")}, ${best}; ${reason}`;
}

const isCrossValidated = ({ splits = 1 }: FittedRows): boolean => splits > 1;

function rowCounts({ rows, trained, table: { missing } }: Report): string {
  const { training, validation, test } = rows;
  const parts = isCrossValidated(trained)
    ? [`${count(training.rows + validation.rows)} for training and validation by cross-validation`]
    : [`${count(training.rows)} for training`, `${count(validation.rows)} for validation`];
  if (test) parts.push(`${count(test.rows)} for the test`);
  if (missing > 0) parts.push(`${count(missing)} left out because of missing values`);
  return parts.join(", ");
}

/** What a user should know about a model with these kernel densities. */
function kernelNote(names: readonly string[]): string {
  const [subject, object] =
    names.length === 1
      ? [`The member ${names[0]} stores`, "it"]
      : [`The members ${names.join(" and ")} store`, "them"];
  return `${subject} training rows. These rows therefore have a higher log-density than unseen rows, and generated rows lie close to them. --no-kernel leaves ${object} out.`;
}

/** The members of a mixture with their weights, the largest first. */
function membersOf({ members = [] }: FittedRows): string[] {
  if (members.length === 0 || (members.length === 1 && !isKernelDensity(members[0]!.name))) return [];
  const sorted = [...members].sort((a, b) => b.weight - a.weight);
  const text = `Members: ${sorted.map(({ name, weight }) => `${name} ${percent(weight)}`).join(", ")}.`;
  const kernels = members.map(({ name }) => name).filter(isKernelDensity);
  return kernels.length > 0 ? [text, kernelNote(kernels)] : [text];
}

/** Says that the model contains training rows, unless the note on its kernel densities does. */
function storedRowsNote(
  { members = [], flow }: FittedRows,
  anomalies: AnomalyReference | undefined,
): readonly string[] {
  const rows = (anomalies?.rows.length ?? 0) / flow.features;
  if (rows === 0 || members.some(({ name }) => isKernelDensity(name))) return [];
  return [
    `The model contains ${counted(rows, "training row")}, with which anomalies are compared. --no-kernel leaves them out.`,
  ];
}

function comparison(
  { references }: HeldOutEvaluation,
  { atoms = [] }: Flow,
  table: TrainingTable["table"],
  training: Dataset,
): string[] {
  const used = training.sample.rows;
  const fitted = used < training.rows ? `${count(used)} of the training rows` : "the training rows";
  const hasAtoms = atoms.some((ofFeature) => ofFeature !== "all" && ofFeature.length > 0);
  const isMixed = table !== undefined && (hasAtoms || hasProbabilities(table));
  const gaussianText =
    table?.length === 1
      ? "normal distribution"
      : isMixed
        ? "linear regression of each column on those before it"
        : "full covariance";
  const lines = references.map(({ name, logDensity }) =>
    name === GAUSSIAN
      ? `  a Gaussian   ${aligned(logDensity)}   (${gaussianText}, fitted to ${fitted})`
      : `  independent  ${aligned(logDensity)}   (independent columns, fitted to ${fitted})`,
  );
  const hasLabels = table?.some(({ kind }) => kind === "categorical");
  if (!hasLabels && !references.some(({ name }) => name === GAUSSIAN))
    lines.push("  (There are too few rows, or too many columns, to fit a Gaussian for comparison.)");
  const best = bestOf(references);
  if (best) {
    const { gain } = best;
    const size = estimate({ ...gain, mean: Math.abs(gain.mean) });
    const comparative = gain.mean >= 0 ? "better" : "worse";
    lines.push(
      `The model is ${size} nats per row ${comparative} than ${best.name === GAUSSIAN ? "the Gaussian" : best.name}.`,
    );
  }
  if (isMixed)
    lines.push(
      `${hasAtoms ? "Frequent single values, discrete" : "Discrete"} columns and missing values have probabilities; all other values have densities, in the units of their columns.`,
    );
  return lines;
}

/** An estimate whose mean is right-aligned. */
const aligned = (of: Parameters<typeof estimate>[0]): string =>
  " ".repeat(Math.max(0, 9 - nats(of.mean).length)) + estimate(of);

/** In characters. A longer source, such as a query, is not repeated in the commands to run next. */
const MAX_SOURCE_LENGTH = 60;

/** The data of a training run in a command to run next. */
export function dataOfCommand({ data }: Pick<FitValues, "data">): string {
  const sources = data.map(shellQuoted).join(" ");
  return sources.length > MAX_SOURCE_LENGTH || data.includes("-") ? "DATA" : sources;
}

function nextCommands({ values, table, rows: parts, trained, anomalies }: Report): NextCommand[] {
  const { output, data: sources, flow, na, decimal, delimiter } = values;
  const { given, labels, rows } = table;
  const model = shellQuoted(output);
  const data = dataOfCommand(values);
  const reading = [
    ...(na.length > 0 ? [` --na ${columnList(na)}`] : []),
    ...(decimal === "," ? [" --decimal ,"] : []),
    ...(delimiter === undefined
      ? []
      : [` --delimiter ${shellQuoted(delimiter === "\t" ? "\\t" : delimiter)}`]),
  ].join("");
  const scored = formatOf(sources[0]!)?.name === "parquet" ? "scored.parquet" : "scored.csv";
  // The context of the first row, in a few digits, is an example.
  const context = Array.from(rows.sample.context.subarray(0, given.length), (x) => Number(x.toPrecision(4)));
  const condition = given.length > 0 ? ` ${exampleOf(given, labels, context)}` : "";
  const commands: NextCommand[] = [];
  const heldOut = heldOutRows(parts, trained.validated !== undefined);
  const reportedRows = heldOut.reduce((sum, part) => sum + part.rows, 0);
  if (given.length === 0 && reportedRows >= MIN_REPORT_ROWS)
    commands.push([
      `${program()} report ${model} ${data}${reading} -o report.html`,
      "what the model is good for",
    ]);
  if (anomalies !== undefined && anomalies.calibration.length > 0)
    commands.push([
      `${program()} anomalies ${model} ${data}${reading}`,
      flow === "default" ? "the most unusual rows, and why" : "the most unusual rows",
    ]);
  return [
    ...commands,
    [`${program()} score ${model} ${data}${reading} -o ${scored}`, "the rows with their log-density"],
    [`${program()} sample ${model}${condition} -n 1000 -o samples.csv`, "generated rows"],
    [`${program()} evaluate ${model} other.csv${reading}`, "how well the model describes other rows"],
  ];
}
