import type { Measure } from "../speed/measure.ts";
import { batchesFor, type TrainingCase, type TrainingStep } from "./maf.ts";

/** Measures the steps of a training: what it has compiled and learned stays from call to call. */
export function measureTraining(
  training: (settings: TrainingCase) => TrainingStep,
  settings: TrainingCase,
): Measure {
  let known: (() => Promise<unknown>) | undefined;
  return async (repeats, budgetMs) => {
    const start = performance.now();
    const warmUp = known ? 1 : 3;
    known ??= steps(training(settings), batchesFor(settings));
    for (let i = 0; i < warmUp; i++) await known();
    const startMs = performance.now() - start;
    const times: number[] = [];
    for (let spent = 0; times.length < repeats && spent <= budgetMs; spent += times.at(-1)!) {
      const before = performance.now();
      await known();
      times.push(performance.now() - before);
    }
    return { times, startMs };
  };
}

const steps = (step: TrainingStep, nextBatch: ReturnType<typeof batchesFor>) => () => step(nextBatch());
