import type { Parameter } from "../graph/parameter.ts";
import { decodeCheckpoint, encodeCheckpoint, fingerprint } from "./checkpoint.ts";
import type { CheckpointStore, LossEpoch, TrainingSettings } from "./options.ts";
import { sharesOf } from "./sharedLoss.ts";
import {
  type LoopOptions,
  type Problem,
  type Stopped,
  TrainingLoop,
  type TrainingRows,
} from "./trainingLoop.ts";
import { Weights } from "./weights.ts";

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
  readonly epochs: readonly LossEpoch[];
  readonly bestEpoch: number;
  /** The smallest validation loss; Infinity without validation rows. */
  readonly validationLoss: number;
  readonly stopped: Stopped;
}

/** Trains from the start or from a checkpoint, saves checkpoints, and releases threads and buffers at the end. */
export async function runTraining(
  { parameters, rows, settings, description, initialize, problem }: Training,
  options: LoopOptions & { readonly checkpoint?: CheckpointStore | undefined },
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
  let loop: TrainingLoop | undefined;
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
      const { epochs, best } = loop!;
      const { average, first, second } = flat;
      const buffers = { average, first, second, best: best.values, bestRunning: best.running };
      const state = loop!.state();
      await checkpoint.save(
        encodeCheckpoint({ fingerprint: identity(), state, epochs, parameters, buffers }),
      );
    };
    loop = await TrainingLoop.of(weights, rows, problem(), settings, { ...options, onState: save });
    if (saved) {
      const { best: values, bestRunning } = saved.buffers;
      loop.resume(saved.epochs, saved.state, { values, running: bestRunning });
    }
    const stopped = await loop.run();
    const { bestEpoch, best } = loop.stopping.state;
    return { epochs: loop.epochs, bestEpoch, validationLoss: best, stopped };
  } finally {
    weights.release();
    await loop?.release();
  }
}
