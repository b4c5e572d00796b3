import type { z } from "zod";
import { PushforwardError } from "../errors.ts";
import type { Flow } from "../flows/flow.ts";
import type { Draws } from "../graph/drawn.ts";
import type { Parameter } from "../graph/parameter.ts";
import { parse } from "../parse.ts";
import { Random } from "../random/index.ts";
import { type Batch, type Batches, batchesOf } from "./batches.ts";
import { decodeCheckpoint, encodeCheckpoint, fingerprint } from "./checkpoint.ts";
import { Descent, MOST_RECOVERIES } from "./descent.ts";
import { type Culprit, findNonFinite } from "./diagnose.ts";
import { initialize } from "./initialize.ts";
import { Objective } from "./objective.ts";
import { type Epoch, type FitOptions, fitSettingsSchema, settingsIn, trainingLengths } from "./options.ts";
import { checkRounding } from "./rounding.ts";
import {
  inMemory,
  isStream,
  meanWeight,
  type RowStream,
  StreamedRows,
  split,
  streamedRows,
} from "./rowStream.ts";
import {
  checkClasses,
  type RowData,
  selectRows,
  spacedRows,
  type TrainingRows,
  trainingRows,
} from "./rows.ts";
import { stepScale } from "./schedule.ts";
import { sharesOf } from "./sharedLoss.ts";

/** What `fit` takes as data: rows in memory, or a stream of more than memory holds. */
export type FitData = RowData | RowStream;

export interface FitResult {
  readonly epochs: readonly Epoch[];
  /** The epoch whose weights the flow has now; 0 is the start. */
  readonly bestEpoch: number;
  /** Mean log-density of the validation rows in nats, in data units. */
  readonly validationLogDensity: number;
  readonly stopped: "epochs" | "patience" | "time" | "signal";
}

type Rows = TrainingRows | StreamedRows;

/**
 * Fits a flow to rows by maximum likelihood: minimizes the mean of -log p(x | context) over mini-batches that count every
 * row, and ends with the weights that were best on held-out rows (early stopping; the start counts, so fitting never makes
 * the validation log-density worse).
 *
 * A stream of rows is read once before training and once in each epoch, and mixed in a buffer of 131,072 rows; at most
 * 50,000 of its rows are held out, and scales and mixtures are fitted to a random sample of the others.
 *
 * If the loss becomes NaN or explodes, training goes back to its last good weights with half the step; after three times it
 * throws a NUMERIC error that names the layer and the batch. Where all that an epoch does is to lead far away from the start, it
 * is done again with an eighth of the step.
 */
export async function fit(flow: Flow, data: FitData, options: FitOptions = {}): Promise<FitResult> {
  const { validation, checkpoint, initialize: start = true, signal, maxMinutes } = options;
  const deadline =
    maxMinutes === undefined ? Number.POSITIVE_INFINITY : performance.now() + maxMinutes * 60_000;
  const settings = parse(fitSettingsSchema, settingsIn(options), "an option of fit");
  const rows = isStream(data)
    ? await streamedRows(flow, data, settings.seed, options)
    : trainingRows(flow, data, options.context, options.weights);
  const parts = validation
    ? {
        training: rows,
        validation: trainingRows(flow, validation.values, validation.context, validation.weights),
      }
    : split(rows, settings.validationFraction, settings.seed);
  for (const [name, part] of Object.entries(parts)) {
    if (meanWeight(part) > 0) continue;
    throw new PushforwardError("DATA", `all ${name} rows have weight 0`, {
      expected: "a positive weight in some of them",
      mend: "Give more rows a weight, or validation rows of your own.",
    });
  }
  const saved = await checkpoint?.load();
  if (start && !saved) {
    await initialize(flow, inMemory(parts.training), parts.validation, { signal, deadline });
  }
  const training = new Training(flow, parts.training, parts.validation, settings, options);
  try {
    return await training.run(saved, deadline);
  } finally {
    await training.release();
  }
}

/** Flow matching estimates the log-density of the training rows from this many of them. */
const MAX_TRAIN_ROWS_EVALUATED = 1000;

/** An epoch that ends so many nats below the start, none before having been better, took too large steps. */
const FAR = 1;
/** What is left of their size then, and how often that may be. */
const CAUTION = 1 / 8;
const MOST_CAUTIONS = 3;

class Training {
  private readonly flow: Flow;
  private readonly settings: z.output<typeof fitSettingsSchema>;
  private readonly options: FitOptions;
  private readonly all: Map<string, Parameter>;
  private readonly batchSize: number;
  private readonly descent: Descent;
  /** What stays in the graph of the flow. */
  private inner!: Flow;
  private readonly original: { training: Rows; validation: TrainingRows };
  private batches!: Batches;
  private validation!: TrainingRows;
  private offset = 0;
  /** Rows to learn from whose log-density is computed after each epoch, where training does not give it. */
  private sample: TrainingRows | undefined;
  private objective!: Objective;
  private best: Float32Array;
  /** The running statistics that belong to the best weights. */
  private bestRunning: Float32Array;
  private lengths!: ReturnType<typeof trainingLengths>;
  private cachedFingerprint: string | undefined;
  private readonly state = {
    epoch: 0,
    bestEpoch: 0,
    best: Number.NEGATIVE_INFINITY,
    plateaus: 0,
    sincePlateau: 0,
    cautions: 0,
  };
  private epochs: Epoch[] = [];

  constructor(
    flow: Flow,
    training: Rows,
    validation: TrainingRows,
    settings: z.output<typeof fitSettingsSchema>,
    options: FitOptions,
  ) {
    this.settings = settings;
    this.options = options;
    this.all = flow.parameters();
    this.batchSize = Math.min(settings.batchSize, training.rows);
    this.descent = new Descent(this.all, settings, sharesOf(this.batchSize, options));
    this.best = this.descent.flat.values.slice();
    this.bestRunning = this.descent.running.copy();
    this.original = { training, validation };
    this.flow = flow;
  }

  async run(saved: Uint8Array | undefined, deadline: number): Promise<FitResult> {
    const { settings, state, options } = this;
    if (saved) this.restore(saved);
    // A standardization next to the data is done here, once and in float64; its log-determinant is a constant.
    const { inner, standardize, standardizeContext } = this.flow.unstandardized();
    this.inner = inner;
    const prepare = (rows: TrainingRows) => {
      checkClasses(this.flow, rows);
      const values = standardize?.toLatent(rows.values) ?? rows.values;
      return { ...rows, values, context: standardizeContext?.toLatent(rows.context) ?? rows.context };
    };
    const { training } = this.original;
    checkRounding(this.flow, inMemory(training));
    const { batchSize } = this;
    this.batches = batchesOf(training, { batchSize, seed: settings.seed, prepare });
    this.lengths = trainingLengths(settings, Math.ceil(this.batches.rows / batchSize));
    this.validation = prepare(this.original.validation);
    this.offset = -(standardize?.logScale() ?? 0);
    if (settings.objective === "flowMatching") {
      this.sample = prepare(spacedRows(inMemory(training), MAX_TRAIN_ROWS_EVALUATED));
    }
    const sizes = { batch: batchSize, validation: this.validation.rows, meanWeight: this.batches.meanWeight };
    const { objective } = settings;
    this.objective = await Objective.of(this.inner, this.descent, sizes, { ...options, objective });
    if (!saved) state.best = (await this.objective.meanLogDensity(this.validation)) + this.offset;
    if (!Number.isFinite(state.best)) {
      const { values, context } = this.validation;
      this.refuseOutside(await findNonFinite(this.inner, values, context), this.validation);
    }
    let stopped: FitResult["stopped"] = "epochs";
    while (state.epoch < this.lengths.epochs) {
      if (state.epoch - state.bestEpoch >= this.lengths.patience) {
        stopped = "patience";
        break;
      }
      const reason = await this.epoch(deadline);
      if (reason) {
        stopped = reason;
        break;
      }
    }
    this.descent.flat.assign(this.best);
    this.descent.running.set(this.bestRunning);
    return { epochs: this.epochs, bestEpoch: state.bestEpoch, validationLogDensity: state.best, stopped };
  }

  release(): Promise<void> | undefined {
    this.descent.flat.detach();
    return this.objective?.release();
  }

  /** One pass over the rows. Gives a reason if training must end inside it. */
  private async epoch(deadline: number): Promise<FitResult["stopped"] | undefined> {
    const { settings, state, descent, options } = this;
    const epoch = state.epoch + 1;
    const batches = Math.ceil(this.batches.rows / this.batchSize);
    descent.remember();
    let sum = 0;
    let seen = 0;
    let late = false;
    let stepSize = 0;
    let explosions = 0;
    let b = 0;
    for await (const batch of this.batches.epoch(epoch)) {
      if (options.signal?.aborted) return "signal";
      late = performance.now() > deadline;
      if (late && b === 0) return "time";
      // What was learned in a part of an epoch counts as well.
      if (late) break;
      const { rows, indices } = batch;
      const step = (epoch - 1) * batches + b;
      const draws: Draws = {
        step,
        // Made only where a flow draws: a short step takes 2% longer with it.
        get random() {
          return new Random(settings.seed).split("drawn").split(epoch).split(b);
        },
      };
      const loss = await this.objective.lossAndGradient(rows, indices, draws);
      const length = descent.flat.gradientNorm;
      const reference = Math.max(this.epochs.at(-1)?.trainLogDensity ?? state.best, state.best);
      const exploded = -loss + this.offset < reference - 1e3 * (1 + Math.abs(reference));
      explosions = exploded ? explosions + 1 : 0;
      // A single far row can make one batch enormous: a clipped step over it does no harm.
      const diverged = explosions >= Math.min(2, batches) && state.epoch > 0 && !this.sample;
      if (!Number.isFinite(loss) || !Number.isFinite(length) || diverged) {
        await this.recover(epoch, b, batch, loss);
        return undefined;
      }
      sum -= loss * indices.length;
      seen += indices.length;
      const { plateaus } = state;
      stepSize = await descent.step(
        length,
        stepScale(settings.schedule, { step, totalSteps: this.lengths.epochs * batches, plateaus }) *
          CAUTION ** state.cautions,
      );
      b++;
      options.onProgress?.({ epoch, fraction: b / batches, best: state.best });
    }
    const trainLogDensity = (this.sample ? await this.judged(this.sample) : sum / seen) + this.offset;
    const validationLogDensity = (await this.judged(this.validation)) + this.offset;
    if (!late && this.leadsAway(validationLogDensity)) {
      descent.restore();
      state.cautions++;
      return undefined;
    }
    state.epoch = epoch;
    this.epochs.push({ epoch, trainLogDensity, validationLogDensity, stepSize });
    this.judge(validationLogDensity);
    options.onEpoch?.(this.epochs.at(-1)!);
    // A checkpoint holds whole epochs, so that going on from it ends where an uninterrupted training does.
    if (late) return "time";
    const { checkpoint } = options;
    if (checkpoint && (checkpoint.due?.() ?? true)) await checkpoint.save(this.save());
    return undefined;
  }

  /** Mean log-density of rows under the average of the weights. */
  private async judged(rows: TrainingRows): Promise<number> {
    if (this.settings.averageDecay === 0) return this.objective.meanLogDensity(rows);
    const { flat } = this.descent;
    const current = flat.values.slice();
    flat.assign(flat.average);
    const result = await this.objective.meanLogDensity(rows);
    flat.assign(current);
    return result;
  }

  /** Keeps the best weights and counts epochs without a better one. */
  private judge(validation: number): void {
    const { state } = this;
    if (validation > state.best) {
      state.best = validation;
      state.bestEpoch = state.epoch;
      state.sincePlateau = 0;
      this.best.set(this.descent.candidate());
      this.bestRunning = this.descent.running.copy();
    } else if (++state.sincePlateau >= this.lengths.plateau) {
      state.plateaus++;
      state.sincePlateau = 0;
    }
  }

  /**
   * Whether steps are so large that all they do is to lead away from a good start, as that of a mixture of narrow components. Not
   * of flow matching, which does not follow the log-density.
   */
  private leadsAway(validation: number): boolean {
    const { best, bestEpoch, cautions } = this.state;
    return !this.sample && bestEpoch === 0 && cautions < MOST_CAUTIONS && validation < best - FAR;
  }

  private async recover(epoch: number, batch: number, { rows, indices }: Batch, loss: number): Promise<void> {
    const { descent, options } = this;
    const chosen = selectRows(rows, indices);
    const culprit = await findNonFinite(this.inner, chosen.values, chosen.context);
    // What reaches the base depends on the parameters, where the layers are defined does not.
    if (culprit?.layer !== "base") this.refuseOutside(culprit, chosen);
    const where = culprit
      ? `${culprit.layer}, row ${rows.index[indices[culprit.row] ?? indices[0]]} of the data`
      : "the gradient";
    if (!descent.goBack()) {
      throw new PushforwardError(
        "NUMERIC",
        `training failed ${MOST_RECOVERIES + 1} times; last in epoch ${epoch}, batch ${batch}, at ${where}`,
        {
          expected: "a finite loss",
          received: `${loss}`,
          mend: "Lower the learning rate, or look at these rows: a value far from all others, or a column of few distinct values.",
        },
      );
    }
    options.onRecovery?.(
      `The loss became ${loss} in epoch ${epoch}, batch ${batch} (${where}): back to the weights before that epoch, with half the step size.`,
    );
  }

  /** A row that has density 0 whatever the parameters are cannot be learned from. */
  private refuseOutside(culprit: Culprit | undefined, { values, index }: TrainingRows): void {
    if (!culprit?.outside) return;
    const { layer, row, support } = culprit;
    const { features } = this.flow;
    const { standardize } = this.flow.unstandardized();
    const own = values.slice(row * features, (row + 1) * features);
    const numbers = Array.from(standardize ? standardize.toData(own) : own);
    const shown = numbers.length > 8 ? [...numbers.slice(0, 8), "..."] : numbers;
    throw new PushforwardError("DATA", `row ${index[row]} lies outside of the support of ${layer}`, {
      expected: support ?? "a row of positive density",
      received: shown.join(", "),
      mend: "Leave such rows out, or choose a flow whose support holds them.",
    });
  }

  private save(): Uint8Array {
    const { flat, optimizer, recoveries } = this.descent;
    return encodeCheckpoint({
      fingerprint: this.fingerprint(),
      state: { ...this.state, recoveries, steps: optimizer.steps },
      epochs: this.epochs,
      parameters: this.all,
      buffers: {
        average: flat.average,
        best: this.best,
        bestRunning: this.bestRunning,
        first: flat.first,
        second: flat.second,
      },
    });
  }

  private restore(bytes: Uint8Array): void {
    const saved = decodeCheckpoint(bytes, this.fingerprint(), this.all);
    const { steps, recoveries, ...state } = saved.state;
    Object.assign(this.state, state);
    this.descent.recoveries = recoveries;
    this.descent.optimizer.steps = steps;
    this.epochs = [...saved.epochs];
    const { flat } = this.descent;
    flat.assign(flat.values);
    flat.average.set(saved.buffers.average);
    this.best.set(saved.buffers.best);
    this.bestRunning = saved.buffers.bestRunning;
    flat.first.set(saved.buffers.first);
    flat.second.set(saved.buffers.second);
  }

  private fingerprint(): string {
    if (this.cachedFingerprint !== undefined) return this.cachedFingerprint;
    const { training, validation } = this.original;
    // `epochs` may be raised to go on.
    const { epochs: _, ...settings } = this.settings;
    // The checkpoint has the optimizer's averages as they lie here.
    const layout = this.descent.flat.parcels.map(({ shape }) => shape);
    // A stream is known by its sample and its number of rows.
    const streamed = training instanceof StreamedRows ? [training.rows] : [];
    this.cachedFingerprint = fingerprint(
      [this.flow.describe(), settings, layout, ...streamed],
      [inMemory(training), validation].flatMap((r) => [r.values, r.context, r.weights]),
    );
    return this.cachedFingerprint;
  }
}
