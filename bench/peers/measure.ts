import { collectTimes, type Measure, timeOf } from "../speed/measure.ts";
import { batchesFor, type TrainingCase, type TrainingStep } from "./maf.ts";

/** Returns a function that measures training steps. It keeps the compiled step and the learned parameters from call to call. */
export function measureTraining(
  training: (settings: TrainingCase) => TrainingStep,
  settings: TrainingCase,
): Measure {
  let known: (() => Promise<unknown>) | undefined;
  return async (plan) => {
    const start = performance.now();
    known ??= steps(training(settings), batchesFor(settings));
    await known();
    const startMs = performance.now() - start;
    const timed = () => timeOf(known!);
    return { times: await collectTimes(timed, plan, await timed()), startMs };
  };
}

const steps = (step: TrainingStep, nextBatch: ReturnType<typeof batchesFor>) => () => step(nextBatch());
