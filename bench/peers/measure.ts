import type { Case } from "../speed/cases.ts";
import { collectTimes, type Measure, timeOf } from "../speed/measure.ts";
import { batchesFor, type TrainingCase, type TrainingStep } from "./maf.ts";

/** Why a peer that is written by hand cannot run a case; undefined if it can. */
export const whyUnsupported = ({ job, flow }: Pick<Case, "job" | "flow">): string | undefined =>
  job === "train" && flow === "maf"
    ? undefined
    : "only the training of masked autoregressive flows is written for this peer";

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
