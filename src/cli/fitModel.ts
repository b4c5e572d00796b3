import { count, counted } from "../check/index.ts";
import type { SplitWithTest } from "../dataset/index.ts";
import { mean } from "../numerics/index.ts";
import type { EngineOptions } from "../runtime/index.ts";
import {
  atomsOfFlow,
  compareDensities,
  evaluate,
  GAUSSIAN,
  gaussianBaseline,
  simpleBaselines,
} from "../tables/evaluate/index.ts";
import { type FittedRows, fitRows } from "../tables/fit/index.ts";
import { readTrainingTable, type TrainingTable } from "../tables/io/index.ts";
import { encodeModel } from "../tables/model/index.ts";
import { engineOf } from "./engine.ts";
import type { FitValues } from "./fitOptions.ts";
import { bestOf, doneEvent, fitReport, type HeldOutEvaluation } from "./fitReport.ts";
import { checkTableValues, type TableFitValues } from "./fitValues.ts";
import type { Io } from "./io.ts";
import { preparePictures, writePictures } from "./pictures.ts";
import { type Fitted, runFit, type TrainingServices } from "./runFit.ts";
import { warnOfFewerTestRows } from "./splitRows.ts";
import { statedKinds } from "./statedKinds.ts";
import { printNotes } from "./tableNotes.ts";
import { checkFlowSize, namedRecipe, trainingOptions } from "./training.ts";
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
  const progress = new TrainingProgress(io, messages, {
    json: values.json,
    log,
    maxMinutes: values.maxMinutes,
    models: values.contamination === undefined ? 1 : 2,
  });
  const { budget, contamination, seed, testFraction, validationFraction } = values;
  const recipe = namedRecipe(values);
  const trained = await fitRows(table, {
    ...trainingOptions(values, { ...services, progress }),
    ...{ budget, contamination, embedding: table.embedding, recipe, seed, testFraction, validationFraction },
    kernel: !values.noKernel,
    testFractionName: "--test-fraction",
    ...(values.flow === "cnf" && !table.table && { objective: "flowMatching" as const }),
    async onSplit({ test }) {
      warnOfFewerTestRows(table.rows, test, values, messages);
      await services.discardOldCheckpoints();
    },
    onTrimmed: ({ length }, all) =>
      messages.print(
        `The second model is trained without the ${counted(length, "most unusual row")} of ${count(all)}.`,
      ),
    // The checkpoint of a named flow has no name, whatever the columns are: `Checkpoints.open` relies on it.
    checkpoints: (name) => services.checkpoints(recipe ? undefined : name),
    onMember: (name, index, names, modelsLeft) => progress.onMember(name, { index, names, modelsLeft }),
  });
  const { rows, anomalies } = trained;
  return {
    bytes: encodeModel(trained.contents),
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
          trimmed: trained.trimmed.length,
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

async function releaseFlows({ flow, members = [] }: FittedRows): Promise<void> {
  for (const each of [flow, ...members.map((member) => member.flow)]) await each.release();
}

/** Evaluates the flow and simpler densities on the test rows, or on the validation rows if there are none. */
async function evaluateHeldOut(
  { flow }: FittedRows,
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
