import type { Dataset, InMemoryDataset } from "../dataset/index.ts";
import { PushforwardError } from "../errors.ts";
import type { Flow } from "../flows/flow.ts";
import { parse } from "../parse.ts";
import type { Loss } from "./batchLoss.ts";
import { findNonFinite, type NonFiniteSource } from "./diagnose.ts";
import { flowMatchingLoss } from "./flowMatching.ts";
import { initialize } from "./initialize.ts";
import type { Problem } from "./objective.ts";
import { deadlineOf, type FitEpoch, type FitOptions, fitSettingsSchema, settingsIn } from "./options.ts";
import { checkRounding } from "./rounding.ts";
import { asDataset, asInMemory, like, type TrainingData, trainingRows } from "./rowsForTraining.ts";
import { runTraining } from "./runTraining.ts";
import type { Stopped } from "./trainingLoop.ts";

export interface FitResult {
  readonly epochs: readonly FitEpoch[];
  /** The epoch whose weights the flow has now; 0 is the start. */
  readonly bestEpoch: number;
  /** Mean log-density of the validation rows in nats, in data units. */
  readonly validationLogDensity: number;
  readonly stopped: Stopped;
  /** The rows that were learned from. */
  readonly training: Dataset;
  /** The rows that decided when to end. */
  readonly validation: InMemoryDataset;
}

/**
 * Fits a flow to rows by maximum likelihood: minimizes the mean of -log p(x | context) over mini-batches that count every
 * row, and ends with the weights that were best on held-out rows (early stopping; the start counts, so fitting never makes
 * the validation log-density worse).
 *
 * Rows are given in any form of `RowsInput`, as a dataset, or as a stream: that is read once before training and once in each
 * epoch, and mixed in a buffer of 131,072 rows; at most 50,000 of its rows are held out, and scales and mixtures are fitted to
 * a random sample of the others.
 *
 * If the loss becomes NaN or explodes, training goes back to its last good weights with half the step. Where the first epochs
 * only lead far away from the start, they are done again with an eighth of the step.
 *
 * @throws SHAPE when rows do not fit the flow; DATA when they cannot be learned; ARGUMENT when an option does not fit, or the
 *   flow is being trained already; NUMERIC when the loss fails four times, with the layer and the row.
 */
export async function fit(flow: Flow, data: TrainingData, options: FitOptions = {}): Promise<FitResult> {
  const deadline = deadlineOf(options.maxMinutes);
  const { initialize: start = true, ...others } = options;
  const { objective, ...own } = parse(fitSettingsSchema, settingsIn(others), "an option of fit");
  const settings = { ...own, steps: 1 };
  const { context, weights, signal } = options;
  const { features, context: contextFeatures, columns, contextColumns } = flow;
  const expected = { features, contextFeatures, columns, contextColumns };
  const given = asDataset(data, expected, { seed: settings.seed, context, weights });
  const heldOut =
    options.validation && asInMemory(options.validation, given instanceof Promise ? expected : like(given));
  const rows = trainingRows(await given, heldOut, settings);
  const { training } = rows;
  const validation = rows.validation!;
  for (const part of [training.sample, validation]) checkClasses(flow, part);
  // What is computed outside of the graph: a standardization next to the data, whose log-determinant is a constant.
  let offset = 0;
  const epochOf = ({ epoch, trainLoss, validationLoss, stepSize }: TrainingEpoch): FitEpoch => ({
    epoch,
    trainLogDensity: offset - trainLoss,
    validationLogDensity: offset - validationLoss!,
    stepSize,
  });
  const { onEpoch, onProgress, ...controls } = options;
  const result = await runTraining(
    {
      parameters: flow.parameters(),
      rows,
      settings,
      description: [flow.describe(), objective],
      ...(start && {
        initialize: () =>
          initialize(flow, training.sample, validation, { ...(signal && { signal }), deadline }),
      }),
      problem: () => {
        offset = -(flow.unstandardized().standardize?.logScale() ?? 0);
        checkRounding(flow, training.sample);
        return problemOf(flow, objective);
      },
    },
    {
      ...controls,
      deadline,
      ...(onEpoch && { onEpoch: (epoch) => onEpoch(epochOf(epoch)) }),
      ...(onProgress && {
        onProgress: ({ epoch, fraction, best }) => onProgress({ epoch, fraction, best: offset - best }),
      }),
    },
  );
  flow.columns ??= training.columns;
  flow.contextColumns ??= training.contextColumns;
  return {
    epochs: result.epochs.map(epochOf),
    bestEpoch: result.bestEpoch,
    validationLogDensity: offset - result.validationLoss,
    stopped: result.stopped,
    training,
    validation,
  };
}

type TrainingEpoch = Awaited<ReturnType<typeof runTraining>>["epochs"][number];

/** Throws `DATA` for a label in the context that is no class of the flow's. */
const checkClasses = ({ embedding }: Flow, { context, rowNumbers }: InMemoryDataset): void =>
  embedding?.check(context, (row) => rowNumbers[row]!);

/** What `fit` minimizes, over rows that are standardized before. */
function problemOf(flow: Flow, objective: FitOptions["objective"]): Problem {
  const { inner, standardize, standardizeContext } = flow.unstandardized();
  const likelihood: Loss = ({ values, context }) => inner.logProb(values, context).neg();
  const losses: Pick<Problem, "loss" | "validationLoss"> =
    objective === "flowMatching"
      ? {
          loss: ({ values, context }) => flowMatchingLoss(inner, values, context),
          validationLoss: likelihood,
        }
      : { loss: likelihood };
  return {
    name: "training",
    ...losses,
    perRow: true,
    prepare: (rows) => {
      checkClasses(flow, rows);
      return rows.with({
        values: standardize?.toLatent(rows.values) ?? rows.values,
        context: standardizeContext?.toLatent(rows.context) ?? rows.context,
      });
    },
    explain: async (rows, { starting }) => {
      const source = rows && (await findNonFinite(inner, rows.values, rows.context));
      if (!source) return undefined;
      // What reaches the base depends on the parameters; where the layers are defined does not.
      if (starting || source.layer !== "base") refuseOutside(flow, source, rows);
      return { where: `${source.layer}, row ${rows.rowNumbers[source.row]} of the data` };
    },
  };
}

/** A row that has density 0 whatever the parameters are cannot be learned from. */
function refuseOutside(
  flow: Flow,
  { outside, layer, row, support }: NonFiniteSource,
  { features, values, rowNumbers }: InMemoryDataset,
): void {
  if (!outside) return;
  const { standardize } = flow.unstandardized();
  const own = values.slice(row * features, (row + 1) * features);
  const numbers = Array.from(standardize ? standardize.toData(own) : own);
  const shown = numbers.length > 8 ? [...numbers.slice(0, 8), "..."] : numbers;
  throw new PushforwardError("DATA", `row ${rowNumbers[row]} lies outside of the support of ${layer}`, {
    expected: support ?? "a row of positive density",
    received: shown.join(", "),
    hint: "Leave such rows out, or choose a flow whose support holds them.",
  });
}
