import { checkOptions, PushforwardError } from "../check/index.ts";
import type { Dataset, InMemoryDataset } from "../dataset/index.ts";
import { ancestors, type Parameter, Tensor } from "../graph/index.ts";
import { checkParametersReachable, parametersOf, trainableParameters } from "../nn/index.ts";
import type { Loss } from "./batchLoss.ts";
import { minimizeRules, settingsIn } from "./optionRules.ts";
import { deadlineOf, type MinimizeEpoch, type MinimizeOptions, minimizeSettingsSchema } from "./options.ts";
import { readTrainingRows, type TrainingData } from "./rowsForTraining.ts";
import { runTraining } from "./runTraining.ts";
import type { StopReason } from "./trainingLoop.ts";
import { requireTrainable } from "./weights.ts";

/** The result of `minimize`. */
export interface MinimizeResult {
  readonly epochs: readonly MinimizeEpoch[];
  /** The epoch whose weights the model has now: without validation rows the last one. 0 is the initial model. */
  readonly bestEpoch: number;
  /** The smallest validation loss; undefined without validation rows. */
  readonly validationLoss: number | undefined;
  readonly stopped: StopReason;
  /** The rows that gradients were computed from, and the held-out rows of early stopping; undefined without data. */
  readonly training: Dataset | undefined;
  readonly validation: InMemoryDataset | undefined;
}

/**
 * Minimizes a loss over the parameters of a model by stochastic gradient descent. The loss is any function of tensors over
 * batches of rows and over noise. Training is that of `fit`: optimizers, schedules, gradient clipping, an average of the weights,
 * early stopping, recovery, checkpoints, threads.
 *
 *     await minimize(({ values }) => flow.logProb(values).neg(), flow, rows);
 *
 * `model` is an object with parameters in public properties, or an object or array of several. Other modules that the loss reads
 * are passed as `frozen`, and are not trained. Without data (`undefined`) the loss draws random inputs with
 * `batch.normal(size)`, training takes `steps` steps, and 100 steps are an epoch.
 *
 * With data, a tenth of the rows is held out. Training ends when the loss of the held-out rows has not decreased for `patience`
 * epochs, and the model gets the weights with the smallest held-out loss, among which the initial weights count. If the loss
 * becomes NaN, infinite or explodes, training returns to the weights at the start of the epoch and halves the learning rate.
 *
 * @throws SHAPE when the loss returns neither a number for each row, [N], nor a scalar; ARGUMENT when an option is not valid or
 *   the model has no trainable parameters or the loss depends on none of them; DATA when there are too few rows; NUMERIC when the
 *   loss fails four times.
 */
export async function minimize(
  loss: Loss,
  model: object,
  data: TrainingData | undefined,
  options: MinimizeOptions = {},
): Promise<MinimizeResult> {
  checkOptions("minimize", options, minimizeRules);
  const deadline = deadlineOf(options.maxMinutes);
  const { validationLoss, frozen } = options;
  const settings = settingsIn(minimizeSettingsSchema, options, "minimize");
  checkUsedOptions(data, options);
  const hasValidation =
    data !== undefined && (options.validation !== undefined || settings.validationFraction > 0);
  if (!hasValidation) checkOptionsWithoutValidation(data, options);
  const rows = data && (await readTrainingRows(data, {}, options, settings)).rows;
  const parameters: ReadonlyMap<string, Parameter> = parametersOf(model);
  requireTrainable(model, parameters);
  const modules = { model, frozen };
  /** Adds a check that every parameter that the loss reads belongs to `model` or `frozen`. */
  const withParameterCheck =
    (lossToCheck: Loss): Loss =>
    (batch) => {
      const result = lossToCheck(batch);
      checkParametersReachable(modules, result instanceof Tensor ? [result] : Object.values(result), []);
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
        loss: withDependenceCheck(model, withParameterCheck(loss)),
        validationLoss: validationLoss && withParameterCheck(validationLoss),
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

/** The options that have no effect without data. */
const OPTIONS_WITH_DATA = [
  "validation",
  "context",
  "weights",
  "epochs",
  "patience",
  "validationFraction",
  "validationLoss",
] as const;

function checkUsedOptions(data: TrainingData | undefined, options: MinimizeOptions): void {
  if (data !== undefined) {
    if (options.steps === undefined) return;
    throw new PushforwardError("ARGUMENT", "the option steps of minimize has no effect with data", {
      hint: "Limit the training by epochs, or by maxMinutes.",
    });
  }
  const unused = OPTIONS_WITH_DATA.find((name) => options[name] !== undefined);
  if (!unused) return;
  throw new PushforwardError(
    "ARGUMENT",
    `the option ${unused} of minimize needs data, but data is undefined`,
    {
      hint: `Give data, or remove the option ${unused}.`,
    },
  );
}

/** Throws `ARGUMENT` for an option that has no effect without validation rows. */
function checkOptionsWithoutValidation(data: TrainingData | undefined, options: MinimizeOptions): void {
  const { validationLoss, patience, schedule: { type = "plateau", ...schedule } = {} } = options;
  const ofPlateau = type === "plateau" && {
    "schedule.patience": schedule.patience,
    "schedule.final": schedule.final,
  };
  const unused = Object.entries({ validationLoss, patience, ...ofPlateau }).find(
    ([, value]) => value !== undefined,
  );
  if (!unused) return;
  throw new PushforwardError("ARGUMENT", `the option ${unused[0]} of minimize needs validation rows`, {
    hint: data
      ? "Give the option validation, or a validationFraction above 0."
      : "Leave it out. Without data, only the schedule cosine lowers the learning rate.",
  });
}

/** Adds a check that a loss depends on a trainable parameter of the model. */
const withDependenceCheck =
  (model: object, loss: Loss): Loss =>
  (batch) => {
    const result = loss(batch);
    const value = result instanceof Tensor ? result : result.loss;
    const trainable = new Set<Tensor>(trainableParameters(model).values());
    // A value that is not a tensor is another error.
    if (!(value instanceof Tensor) || ancestors([value]).some((node) => trainable.has(node))) return result;
    throw new PushforwardError(
      "ARGUMENT",
      "the loss does not depend on any trainable parameter of the model",
      {
        hint: "Give the objects whose parameters the loss reads: minimize(loss, { encoder, decoder }, rows).",
      },
    );
  };
