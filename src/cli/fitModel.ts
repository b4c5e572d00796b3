import { fingerprint, InMemoryDataset, type SplitWithTest, testFractionOf } from "../dataset/index.ts";
import { mean } from "../numerics/index.ts";
import type { EngineOptions } from "../runtime/index.ts";
import { type AnomalyReference, AnomalyScorer } from "../tables/anomalies/index.ts";
import {
  atomsOfFlow,
  compareDensities,
  evaluate,
  GAUSSIAN,
  gaussianBaseline,
  simpleBaselines,
  summarizeContext,
} from "../tables/evaluate/index.ts";
import { readTrainingTable, type TrainingTable } from "../tables/io/index.ts";
import { encodeModel } from "../tables/model/index.ts";
import { engineOf } from "./engine.ts";
import type { FitValues } from "./fitOptions.ts";
import { bestOf, doneEvent, fitReport, type HeldOutEvaluation } from "./fitReport.ts";
import { checkTableValues, type TableFitValues } from "./fitValues.ts";
import type { Io } from "./io.ts";
import { preparePictures, writePictures } from "./pictures.ts";
import { type Fitted, runFit, type TrainingServices } from "./runFit.ts";
import { splitRows, warnOfFewerTestRows } from "./splitRows.ts";
import { statedKinds } from "./statedKinds.ts";
import { printNotes } from "./tableNotes.ts";
import { checkFlowSize, type Trained, train, trimmedRows } from "./training.ts";
import { TrainingProgress } from "./trainingProgress.ts";

/** Reads a table, trains a flow on it, and writes the model, the pictures and the report. */
export async function fitModel(
  entered: FitValues,
  io: Io,
  words: readonly string[],
  { maxNumbersInMemory }: { maxNumbersInMemory?: number } = {},
): Promise<void> {
  const values = checkTableValues(entered);
  await runFit(values, io, words, async () => {
    if (values.pictures !== undefined) await preparePictures(values.pictures);
    const { columns, exclude, given, na, decimal, delimiter, seed } = values;
    const readsTable = (io.communicator?.rank ?? 0) === 0;
    const table = await readTrainingTable(values.data, {
      ...{ columns, exclude, given, na, decimal, delimiter, seed },
      ...(values.flow !== "cnf" && readsTable && { kinds: await statedKinds(values) }),
      onlyIfMixed: values.flow !== "default",
      hasAtoms: values.flow === "default",
      signal: io.interrupted,
      communicator: io.communicator,
      ...(maxNumbersInMemory !== undefined && { maxNumbersInMemory }),
    });
    return {
      dataHint:
        "Or check these rows for a value far from all others, and for columns with few different values.",
      train: (services) => fitTable(values, table, services),
      close: () => table.close(),
    };
  });
}

async function fitTable(
  values: TableFitValues,
  table: TrainingTable,
  services: TrainingServices,
): Promise<Fitted> {
  const { io, messages, log } = services;
  printNotes(table, messages);
  checkFlowSize(values, table);
  const rows = splitRows(table.rows, values);
  warnOfFewerTestRows(table.rows, rows.test, values, messages);
  await services.discardOldCheckpoints();
  const progress = new TrainingProgress(io, messages, {
    json: values.json,
    log,
    maxMinutes: values.maxMinutes,
    models: values.contamination === undefined ? 1 : 2,
  });
  const { trimmed, ...kept } = await trimmedRows(values, table, rows, { ...services, progress });
  const trained = await train(values, table, kept, { ...services, progress });
  const anomalies = services.signal.aborted
    ? undefined
    : await anomalyReference(trained, table, kept, values);
  return {
    bytes: modelBytes(trained, table, kept, values, anomalies),
    stopped: trained.stopped,
    async report({ elapsed, resumeCommand, throwIfInterrupted }) {
      const directory = values.pictures;
      try {
        const evaluation = await evaluateHeldOut(trained, table, rows, engineOf(values));
        throwIfInterrupted();
        const pictures =
          directory === undefined ? [] : await writePictures(directory, trained, table, values, evaluation);
        const milliseconds = elapsed();
        const report = {
          values,
          table,
          rows,
          trimmed,
          trained,
          anomalies,
          evaluation,
          pictures,
          milliseconds,
          resumeCommand,
        };
        return { text: fitReport(report, io), event: doneEvent(report) };
      } finally {
        await releaseFlows(trained);
      }
    },
  };
}

async function releaseFlows({ flow, members = [] }: Trained): Promise<void> {
  for (const each of [flow, ...members.map((member) => member.flow)]) await each.release();
}

/** Evaluates the flow and simpler densities on the test rows, or on the validation rows if there are none. */
async function evaluateHeldOut(
  { flow }: Trained,
  { constants, table }: TrainingTable,
  { training, validation, test }: SplitWithTest,
  engine: EngineOptions,
): Promise<HeldOutEvaluation> {
  const { embedding } = flow;
  const rows = test ?? validation;
  const gaussianOfNumbers = async () => {
    const gaussian = await gaussianBaseline(training, { embedding, constants });
    return gaussian ? [{ name: GAUSSIAN, ...gaussian }] : [];
  };
  const baselines = table
    ? await simpleBaselines(table, training, { atoms: atomsOfFlow(flow), embedding, ...engine })
    : await gaussianOfNumbers();
  const { logDensities, logDensity } = await evaluate(flow, rows, engine);
  const references = await compareDensities(logDensities, rows, baselines);
  const best = bestOf(references);
  const bestBaseline = baselines.find(({ name }) => name === best?.name);
  return {
    by: test ? "test" : "validation",
    logDensity,
    references,
    ...(bestBaseline && {
      onValidation: { label: bestBaseline.name, value: mean(await bestBaseline.logDensities(validation)) },
    }),
  };
}

/** The calibration scores and training rows that `pushforward anomalies` needs. Only default models without a context have them. */
async function anomalyReference(
  { flow, validated }: Trained,
  { table, given }: TrainingTable,
  { training, validation, test }: SplitWithTest,
  { flow: name, noKernel, ...values }: TableFitValues,
): Promise<AnomalyReference | undefined> {
  if (!table || given.length > 0 || name !== "default") return undefined;
  const options = { keepRows: !noKernel, flowBeforeValidationRows: validated?.flow, ...engineOf(values) };
  const learned = validated ?? { training, validation };
  return AnomalyScorer.fit(
    table,
    flow,
    { training: learned.training.sample, validation: learned.validation, test },
    options,
  );
}

function modelBytes(
  { flow, epochs, bestEpoch, validationLogDensity, members, validated }: Trained,
  { columns, table, given, labels, rows: all }: TrainingTable,
  { training, validation }: SplitWithTest,
  values: TableFitValues,
  anomalies: AnomalyReference | undefined,
): Uint8Array {
  const record = {
    rows: training.rows + validation.rows,
    seed: values.seed,
    split: { test: testFractionOf(all.rows, values.testFraction), validation: values.validationFraction },
    ...(all instanceof InMemoryDataset && { fingerprint: fingerprint(null, [all.values]) }),
    ...(validated && { learnedValidationRows: true }),
    epochs: epochs.length,
    bestEpoch,
    validationLogDensity,
    ...(members && {
      members: members.map(({ name, weight, validationLogDensity }) => ({
        name,
        weight,
        validationLogDensity,
      })),
    }),
    ...(given.length > 0 && { given: summarizeContext([training, validation], given, labels) }),
  };
  const classLabels = labels.size > 0 && { labels: [...labels.values()] };
  return encodeModel({
    flow,
    columns,
    ...(table && { table }),
    given,
    ...classLabels,
    training: record,
    ...(anomalies && { anomalies }),
  });
}
