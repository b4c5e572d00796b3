import type { Parameter } from "../graph/parameter.ts";
import { decodeCheckpoint, encodeCheckpoint, fingerprint } from "./checkpoint.ts";
import { Objective, type Problem, type TrainingRows } from "./objective.ts";
import type { CheckpointStore, MinimizeEpoch, TrainingSettings } from "./options.ts";
import { sharesOf } from "./sharedLoss.ts";
import { type LoopOptions, type Stopped, TrainingLoop } from "./trainingLoop.ts";
import { reserve, Weights } from "./weights.ts";

/** What is to be trained. */
export interface Training {
  readonly parameters: ReadonlyMap<string, Parameter>;
  readonly rows: TrainingRows | undefined;
  readonly settings: TrainingSettings;
  /** What a checkpoint belongs to, beside the rows and the settings. */
  readonly description: unknown;
  /** Sets what is taken from data. Not where training goes on from a checkpoint. */
  readonly initialize?: () => Promise<void>;
  /** Made when all parameters are set. */
  readonly problem: () => Problem;
}

export interface TrainingResult {
  readonly epochs: readonly MinimizeEpoch[];
  readonly bestEpoch: number;
  /** The smallest validation loss; Infinity without validation rows. */
  readonly validationLoss: number;
  readonly stopped: Stopped;
}

export interface TrainingOptions extends LoopOptions {
  readonly checkpoint?: CheckpointStore | undefined;
}

/** Trains from the start or from a checkpoint, saves checkpoints, and releases threads and buffers at the end. */
export async function runTraining(training: Training, options: TrainingOptions): Promise<TrainingResult> {
  const end = reserve(training.parameters);
  try {
    return await trainReserved(training, options);
  } finally {
    end();
  }
}

async function trainReserved(
  { parameters, rows, settings, description, initialize, problem }: Training,
  options: TrainingOptions,
): Promise<TrainingResult> {
  const { checkpoint } = options;
  const bytes = await checkpoint?.load();
  if (!bytes) await initialize?.();
  const batchSize = Math.min(settings.batchSize, rows?.training.rows ?? settings.batchSize);
  const weights = new Weights(parameters, settings.averageDecay > 0, sharesOf(batchSize, options));
  const { flat } = weights;
  let digest: string | undefined;
  const identity = () => {
    // `epochs` and `steps` may be raised to go on.
    const { epochs: _epochs, steps: _steps, ...others } = settings;
    const parts = rows ? [rows.training.sample, ...(rows.validation ? [rows.validation] : [])] : [];
    // A stream is known by its sample and its number of rows; the optimizer's averages are stored as they lie in the buffers.
    digest ??= fingerprint(
      [description, others, flat.parcels.map(({ shape }) => shape), rows?.training.rows ?? 0],
      parts.flatMap(({ values, context, weights }) => [values, context, weights]),
    );
    return digest;
  };
  let objective: Objective | undefined;
  try {
    const saved = bytes && decodeCheckpoint(bytes, identity(), parameters);
    if (saved) {
      flat.assign(flat.values);
      flat.average.set(saved.buffers.average);
      flat.first.set(saved.buffers.first);
      flat.second.set(saved.buffers.second);
    }
    const save = async () => {
      if (!checkpoint || !(checkpoint.due?.() ?? true)) return;
      const { epochs, best } = loop;
      const { average, first, second } = flat;
      const buffers = { average, first, second, best: best.values, bestRunning: best.running };
      const state = loop.state();
      await checkpoint.save(
        encodeCheckpoint({ fingerprint: identity(), state, epochs, parameters, buffers }),
      );
    };
    const own = problem();
    objective = await Objective.of(own, weights, rows, settings, options);
    const loop = new TrainingLoop(weights, own, objective, settings, { ...options, onState: save });
    if (saved) {
      const { best: values, bestRunning } = saved.buffers;
      loop.resume(saved.epochs, saved.state, { values, running: bestRunning });
    }
    const stopped = await loop.run();
    const { bestEpoch, best } = loop.stopping.state;
    return { epochs: loop.epochs, bestEpoch, validationLoss: best, stopped };
  } finally {
    weights.release();
    await objective?.release();
  }
}
