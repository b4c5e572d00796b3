import { checkOptions, PushforwardError } from "../check/index.ts";
import type { Dataset, InMemoryDataset } from "../dataset/index.ts";
import type { Flow } from "../flows/index.ts";
import type { Loss } from "./batchLoss.ts";
import { flowMatchingLoss } from "./flowMatching.ts";
import { initialize } from "./initialize.ts";
import { findNonFinite, type NonFiniteSource } from "./nonFinite.ts";
import { fitRules, settingsIn } from "./optionRules.ts";
import { deadlineOf, type FitEpoch, type FitOptions, fitSettingsSchema } from "./options.ts";
import type { Problem } from "./problem.ts";
import { checkRounding } from "./rounding.ts";
import { readTrainingRows, type TrainingData } from "./rowsForTraining.ts";
import { runTraining } from "./runTraining.ts";
import type { StopReason } from "./trainingLoop.ts";

/** The result of `fit`. */
export interface FitResult {
  readonly epochs: readonly FitEpoch[];
  /** The epoch whose weights the flow has now, the one with the largest validation log-density. 0 is the initial flow. */
  readonly bestEpoch: number;
  /** Mean log-density of the validation rows in nats, in data units. */
  readonly validationLogDensity: number;
  readonly stopped: StopReason;
  /** The rows that gradients were computed from. */
  readonly training: Dataset;
  /** The held-out rows, on which early stopping was based. */
  readonly validation: InMemoryDataset;
}

/**
 * Fits a flow to rows by maximum likelihood: minimizes the mean of -log p(x | context) over mini-batches, and returns with the
 * weights that had the largest log-density on held-out rows (early stopping). The initial flow counts as epoch 0, so fitting
 * never decreases the validation log-density.
 *
 * `data` is rows in any form of `RowsInput`, a dataset, or a stream. A stream is read once before training and once in each
 * epoch, and shuffled in a buffer of 131,072 rows. At most 50,000 of its rows are held out, and scales and mixtures are
 * fitted to a random sample of the remaining rows.
 *
 * If the loss becomes NaN, infinite or explodes, training returns to the weights at the start of the epoch and halves the learning
 * rate. An epoch that ends far above the initial loss is repeated with an eighth of the learning rate, until an epoch improves on the
 * initial flow and at most three times in all.
 *
 * @throws SHAPE when rows have a different number of features or context features from the flow; DATA when the flow cannot learn from
 *   them; ARGUMENT when an option is not valid, or the flow is being trained already; NUMERIC when the loss fails four times, with
 *   the layer and the row.
 */
export async function fit<Row extends object>(
  flow: Flow,
  data: TrainingData<Row>,
  options: FitOptions = {},
): Promise<FitResult> {
  checkOptions("fit", options, fitRules);
  const deadline = deadlineOf(options.maxMinutes);
  const { initialize: initializes = true } = options;
  const { objective, klWarmUp, ...fitSettings } = settingsIn(fitSettingsSchema, options, "fit");
  checkWarmUp(flow, klWarmUp);
  // `steps` is only read without data.
  const settings = { ...fitSettings, steps: 1 };
  const { signal } = options;
  const { features, context: contextFeatures, columns, contextColumns } = flow;
  const expected = { features, contextFeatures, columns, contextColumns };
  const { rows } = await readTrainingRows(data, expected, options, settings);
  const { training } = rows;
  const validation = rows.validation!;
  for (const part of [training.sample, validation]) checkContextClasses(flow, part);
  // The log-determinant of a standardization next to the data. It is a constant, so the graph leaves it out.
  let offset = 0;
  const toFitEpoch = ({ epoch, trainLoss, validationLoss, learningRate }: TrainingEpoch): FitEpoch => ({
    epoch,
    trainLogDensity: offset - trainLoss,
    validationLogDensity: offset - validationLoss!,
    learningRate,
  });
  const { onEpoch, onProgress, ...controls } = options;
  const result = await runTraining(
    {
      parameters: flow.parameters(),
      rows,
      settings,
      description: [flow.describe(), objective, klWarmUp],
      ...(initializes && {
        initialize: () =>
          initialize(flow, training.sample, validation, { ...(signal && { signal }), deadline }),
      }),
      problem: () => {
        offset = -(flow.unstandardized().standardize?.logScale() ?? 0);
        checkRounding(flow, training.sample);
        return problemFor(flow, objective, klWarmUp);
      },
    },
    {
      ...controls,
      deadline,
      ...(onEpoch && { onEpoch: (epoch) => onEpoch(toFitEpoch(epoch)) }),
      ...(onProgress && {
        onProgress: ({ epoch, fraction, best, bestEpoch, lastEpoch, maxEpochs }) =>
          onProgress({ epoch, fraction, best: offset - best, bestEpoch, lastEpoch, maxEpochs }),
      }),
    },
  );
  flow.columns ??= training.columns;
  flow.contextColumns ??= training.contextColumns;
  return {
    epochs: result.epochs.map(toFitEpoch),
    bestEpoch: result.bestEpoch,
    validationLogDensity: offset - result.validationLoss,
    stopped: result.stopped,
    training,
    validation,
  };
}

type TrainingEpoch = Awaited<ReturnType<typeof runTraining>>["epochs"][number];

/** Throws `DATA` for a label in the context that is not one of the classes of the flow. */
const checkContextClasses = ({ embedding }: Flow, { context, rowNumbers }: InMemoryDataset): void =>
  embedding?.check(context, (row) => rowNumbers[row]!);

/** Throws `ARGUMENT` for KL warm-up of a flow without a KL divergence. */
function checkWarmUp(flow: Flow, klWarmUp: number): void {
  if (klWarmUp === 0 || flow.weightedBound) return;
  throw new PushforwardError("ARGUMENT", "the flow has no KL divergence to warm up", {
    expected: "a variational autoencoder",
    received: `a flow with the base ${flow.base.describe().type}`,
    hint: "Leave out the option klWarmUp.",
  });
}

/** The loss that `fit` minimizes, over standardized rows. */
function problemFor(flow: Flow, objective: FitOptions["objective"], klWarmUp: number): Problem {
  const { inner, standardize, standardizeContext } = flow.unstandardized();
  const likelihood: Loss = ({ values, context }) => inner.logProb(values, context).neg();
  const losses = (): Pick<Problem, "loss" | "validationLoss"> => {
    if (objective === "flowMatching") {
      const loss: Loss = ({ values, context }) => flowMatchingLoss(inner, values, context);
      return { loss, validationLoss: likelihood };
    }
    if (klWarmUp === 0) return { loss: likelihood };
    const loss: Problem["loss"] = ({ values, context, step }, stepsPerEpoch) => {
      const divergenceWeight = step.mul(1 / (klWarmUp * stepsPerEpoch)).minimum(1);
      return inner.weightedBound!(values, divergenceWeight, context).neg();
    };
    return { loss, validationLoss: likelihood };
  };
  return {
    name: "training",
    ...losses(),
    warmUpEpochs: klWarmUp,
    returnsLossPerRow: true,
    prepare: (rows) => {
      checkContextClasses(flow, rows);
      return rows.with({
        ...(standardize && { values: standardize.toLatent(rows.values) }),
        ...(standardizeContext && { context: standardizeContext.toLatent(rows.context) }),
      });
    },
    explain: async (rows, { isBeforeFirstStep }) => {
      const source = rows && (await findNonFinite(inner, rows.values, rows.context));
      if (!source) return undefined;
      // The support of a layer does not depend on its parameters, so training cannot move the row into it. The input of the base
      // depends on the parameters, unless it is the data.
      const seesData = source.layer !== "base" || inner.bijection.isIdentity === true;
      if (isBeforeFirstStep || seesData) throwOutsideSupport(flow, source, rows);
      return { where: `${source.layer}, row ${rows.rowNumbers[source.row]} of the data` };
    },
  };
}

/** Throws `DATA` if the row has density 0 for all parameters: a flow cannot learn from it. */
function throwOutsideSupport(
  flow: Flow,
  { outsideSupport: outside, layer, row, support }: NonFiniteSource,
  { features, values, rowNumbers }: InMemoryDataset,
): void {
  if (!outside) return;
  const { standardize } = flow.unstandardized();
  const standardized = values.slice(row * features, (row + 1) * features);
  const numbers = Array.from(standardize ? standardize.toData(standardized) : standardized);
  const shown = numbers.length > 8 ? [...numbers.slice(0, 8), "..."] : numbers;
  throw new PushforwardError("DATA", `row ${rowNumbers[row]} lies outside of the support of ${layer}`, {
    expected: support ?? "a row of positive density",
    received: shown.join(", "),
    hint: "Remove such rows, or choose a flow whose support contains them.",
  });
}
