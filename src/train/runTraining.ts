import { broadcastBytes, type Communicator, gatherNumbers, SINGLE_PROCESS } from "../communicator/index.ts";
import { fingerprint } from "../dataset/index.ts";
import type { Parameter } from "../graph/index.ts";
import { engineOptionsOf } from "../runtime/index.ts";
import { decodeCheckpoint, encodeCheckpoint } from "./checkpoint.ts";
import { shardCount } from "./dataParallelLoss.ts";
import type { CheckpointStore, MinimizeEpoch, TrainingSettings } from "./options.ts";
import { CompiledProblem, type Problem, type TrainingRows } from "./problem.ts";
import { broadcastParameters, checkSameTraining } from "./sameTraining.ts";
import { type LoopOptions, type StopReason, TrainingLoop } from "./trainingLoop.ts";
import { reserve, Weights } from "./weights.ts";

/** The parameters to train, the rows, and the problem. */
export interface TrainingRun {
  readonly parameters: ReadonlyMap<string, Parameter>;
  readonly rows: TrainingRows | undefined;
  readonly settings: TrainingSettings;
  /** Plain data that, with the rows and the settings, identify the training that a checkpoint belongs to. */
  readonly description: unknown;
  /** Data-dependent initialization. Not called when training resumes from a checkpoint. */
  readonly initialize?: () => Promise<void>;
  /** Creates the problem, after the parameters were initialized or loaded. */
  readonly problem: () => Problem;
}

export interface TrainingResult {
  readonly epochs: readonly MinimizeEpoch[];
  readonly bestEpoch: number;
  /** The smallest validation loss; Infinity without validation rows. */
  readonly validationLoss: number;
  readonly stopped: StopReason;
}

export interface TrainingOptions extends Omit<LoopOptions, "communicator"> {
  readonly checkpoint?: CheckpointStore | undefined;
  readonly communicator?: Communicator | undefined;
}

/**
 * Trains from the beginning or from a checkpoint, saves checkpoints, and releases threads and buffers at the end. Of several processes,
 * only rank 0 loads and saves checkpoints.
 */
export async function runTraining(training: TrainingRun, options: TrainingOptions): Promise<TrainingResult> {
  const endReservation = reserve(training.parameters);
  try {
    return await trainParameters(training, options);
  } finally {
    endReservation();
  }
}

async function trainParameters(
  { parameters, rows, settings, description, initialize, problem }: TrainingRun,
  options: TrainingOptions,
): Promise<TrainingResult> {
  const { communicator = SINGLE_PROCESS } = options;
  const checkpoint = communicator.rank === 0 ? options.checkpoint : undefined;
  const bytes = await broadcastBytes(communicator, await checkpoint?.load());
  if (!bytes) await initialize?.();
  await broadcastParameters(parameters, communicator);
  const batchSize = Math.min(settings.batchSize, rows?.training.rows ?? settings.batchSize);
  // A rank computes which rows of a batch are its own from the number of threads, so this number must be the same on all ranks.
  const threads = Math.min(
    ...(await gatherNumbers(communicator, shardCount(batchSize, communicator.size, options))),
  );
  const weights = new Weights(parameters, settings.averageDecay > 0, threads);
  const { flat } = weights;
  let digest: string | undefined;
  const currentFingerprint = () => {
    // `epochs` and `steps` may differ, so that a training run can be extended.
    const { epochs: _epochs, steps: _steps, ...fixedSettings } = settings;
    const parts = rows ? [rows.training.sample, ...(rows.validation ? [rows.validation] : [])] : [];
    // A stream is identified by its sample and its number of rows. The shapes of the blocks are included, because the
    // optimizer's moments are stored in the layout of the buffers.
    digest ??= fingerprint(
      [description, fixedSettings, flat.blocks.map(({ shape }) => shape), rows?.training.rows ?? 0],
      parts.flatMap(({ storedValues, context, weights }) => [storedValues, context, weights]),
    );
    return digest;
  };
  let compiledProblem: CompiledProblem | undefined;
  try {
    await checkSameTraining(communicator, currentFingerprint);
    const checkpointToResume = bytes && decodeCheckpoint(bytes, currentFingerprint(), parameters);
    if (checkpointToResume) {
      // Decoding has set the parameters, which are views of `values`. The compiled loss reads a shared copy of them.
      flat.assign(flat.values);
      flat.average.set(checkpointToResume.buffers.average);
      flat.firstMoment.set(checkpointToResume.buffers.first);
      flat.secondMoment.set(checkpointToResume.buffers.second);
    }
    const save = async () => {
      if (!checkpoint || !(checkpoint.due?.() ?? true)) return;
      const { epochs, best } = loop;
      const { average, firstMoment: first, secondMoment: second } = flat;
      const buffers = { average, first, second, best: best.values, bestRunning: best.running };
      const state = loop.state();
      await checkpoint.save(
        encodeCheckpoint({ fingerprint: currentFingerprint(), state, epochs, parameters, buffers }),
      );
    };
    const currentProblem = problem();
    const engine = engineOptionsOf(options);
    compiledProblem = await CompiledProblem.create(currentProblem, weights, rows, settings, {
      communicator,
      threads,
      engine,
    });
    const loop = new TrainingLoop(weights, currentProblem, compiledProblem, settings, {
      ...options,
      communicator,
      onState: save,
    });
    if (checkpointToResume) {
      const { best: values, bestRunning } = checkpointToResume.buffers;
      loop.resume(checkpointToResume.epochs, checkpointToResume.state, { values, running: bestRunning });
    }
    const stopped = await loop.run();
    const { epochs } = loop;
    const { bestEpoch, best } = loop.stopping.state;
    const lastEpoch = epochs.at(-1)?.epoch ?? 0;
    return {
      epochs,
      bestEpoch: compiledProblem.hasValidation ? bestEpoch : lastEpoch,
      validationLoss: best,
      stopped,
    };
  } finally {
    await Promise.all([weights.release(), compiledProblem?.release()]);
  }
}
