import type { Dataset, InMemoryDataset } from "../dataset/index.ts";
import { PushforwardError } from "../errors.ts";
import type { Parameter } from "../graph/parameter.ts";
import { Tensor } from "../graph/tensor.ts";
import { checkParametersFound } from "../nn/lostParameters.ts";
import { parametersOf } from "../nn/module.ts";
import { parse } from "../parse.ts";
import type { Loss } from "./batchLoss.ts";
import {
  deadlineOf,
  type MinimizeEpoch,
  type MinimizeOptions,
  minimizeSettingsSchema,
  settingsIn,
} from "./options.ts";
import { asDataset, asInMemory, like, type TrainingData, trainingRows } from "./rowsForTraining.ts";
import { runTraining } from "./runTraining.ts";
import type { Stopped } from "./trainingLoop.ts";

export interface MinimizeResult {
  readonly epochs: readonly MinimizeEpoch[];
  /** The epoch whose weights the model has now; 0 is the start. */
  readonly bestEpoch: number;
  /** The smallest validation loss; undefined without validation rows. */
  readonly validationLoss: number | undefined;
  readonly stopped: Stopped;
  /** The rows that were learned from, and those that decided when to end; undefined without data. */
  readonly training: Dataset | undefined;
  readonly validation: InMemoryDataset | undefined;
}

/**
 * Minimizes a loss over the parameters of a model by stochastic gradient steps: any loss that is written with tensors over
 * batches of rows, and over noise. What `fit` and `fitDensity` have it has: optimizers, schedules, clipping, an average of the
 * weights, early stopping, recovery, checkpoints, threads.
 *
 *     await minimize(({ values }) => flow.logProb(values).neg(), flow, rows);
 *
 * `model` is an object with parameters in public properties, or several in an object or array; what else the loss reads is
 * named as `frozen` and stays as it is. Without data (`undefined`) the loss draws its rows,
 * `batch.normal(size)`, and training takes `steps` steps; an epoch is then 100 of them.
 *
 * With data, a tenth of the rows is held out; training ends when their loss has not become smaller for `patience` epochs,
 * and leaves the model with the weights that were best on them, the start included. If a loss becomes NaN, infinite or explodes,
 * training goes back to its last good weights with half the step.
 *
 * @throws SHAPE when the loss gives neither a number for each row, [N], nor a scalar; ARGUMENT when an option does not fit or
 *   the model has nothing to train; DATA when there is too little to learn from; NUMERIC when the loss fails four times.
 */
export async function minimize(
  loss: Loss,
  model: object,
  data: TrainingData | undefined,
  options: MinimizeOptions = {},
): Promise<MinimizeResult> {
  const deadline = deadlineOf(options.maxMinutes);
  const { validationLoss, frozen, ...others } = options;
  const settings = parse(minimizeSettingsSchema, settingsIn(others), "an option of minimize");
  const { context, weights } = options;
  const needless = (["validation", "context", "weights"] as const).find(
    (name) => options[name] !== undefined,
  );
  if (data === undefined && needless) {
    throw new PushforwardError(
      "ARGUMENT",
      `the option ${needless} of minimize goes with data, and there are none`,
      {
        hint: "Give the data, or leave it out.",
      },
    );
  }
  const given =
    data === undefined ? undefined : asDataset(data, {}, { seed: settings.seed, context, weights });
  const validation =
    options.validation &&
    given &&
    asInMemory(options.validation, given instanceof Promise ? {} : like(given));
  const all = await given;
  const rows = all && trainingRows(all, validation, settings);
  const parameters: ReadonlyMap<string, Parameter> = parametersOf(model);
  if (![...parameters.values()].some(({ trainable }) => trainable)) throw nothingToTrain(model);
  const known = { model, frozen };
  /** The loss, after a check that training changes all parameters that it reads. */
  const checked =
    (own: Loss): Loss =>
    (batch) => {
      const result = own(batch);
      checkParametersFound(known, result instanceof Tensor ? [result] : Object.values(result), []);
      return result;
    };
  const result = await runTraining(
    {
      parameters,
      rows,
      settings,
      description: [...parameters.keys()],
      problem: () => ({
        name: "training",
        loss: checked(loss),
        validationLoss: validationLoss && checked(validationLoss),
      }),
    },
    { ...options, deadline },
  );
  return {
    ...result,
    validationLoss: rows?.validation && result.validationLoss,
    training: rows?.training,
    validation: rows?.validation,
  };
}

const nothingToTrain = (model: object): PushforwardError =>
  new PushforwardError("ARGUMENT", "the model has nothing to train", {
    expected: "an object with trainable parameters in public properties",
    received: `an object of class ${model.constructor?.name ?? "?"} without any`,
    hint: "Give the objects whose parameters the loss reads: minimize(loss, { encoder, decoder }, rows).",
  });
