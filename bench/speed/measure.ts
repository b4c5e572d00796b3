import type { Flow } from "../../src/flows/flow.ts";
import type { EngineOptions } from "../../src/runtime/index.ts";
import { fit } from "../../src/train/index.ts";
import type { Case } from "./cases.ts";
import { flowOf, rowsOf } from "./flows.ts";
import { THREADS } from "./protocol.ts";

/** Unmeasured steps at the start of every training, in which threads start and the runtime plans its memory. */
const MIN_WARM_UP_STEPS = 3;

/** Number of batches in the training rows. */
export const DISTINCT_BATCHES = 8;

export interface Measurement {
  /** Time of each repeat in milliseconds. */
  readonly times: readonly number[];
  /** Time to the first result in milliseconds. */
  readonly startMs: number;
}

/** How often to repeat a measurement. */
export interface Plan {
  /** Largest number of measured repeats. */
  readonly repeats: number;
  /** No further repeat starts once the measured ones took more time than this. */
  readonly budgetMs: number;
  /** Total time of the unmeasured repeats that come first, in which code is compiled and caches are filled. */
  readonly warmUpMs: number;
}

export type Measure = (plan: Plan) => Promise<Measurement>;

/** Builds the flow and the rows of a case, and returns a function that measures it. Its `startMs` does not include the building. */
export function prepareMeasurement(benchCase: Case, options: EngineOptions = { threads: THREADS }): Measure {
  const flow = flowOf(benchCase);
  if (benchCase.job === "train") return measureTraining(flow, benchCase, options);
  const { job, rows } = benchCase;
  const x = rowsOf(benchCase, rows);
  return measureRepeated(
    job === "logProb" ? () => flow.logProb(x, undefined, options) : () => flow.sample(rows, options),
  );
}

/** Measures repeated runs of a job. The first run is the time to the first result. */
function measureRepeated(job: () => Promise<unknown>): Measure {
  const timed = () => timeOf(job);
  return async (plan) => {
    const startMs = await timed();
    return { times: await collectTimes(timed, plan, startMs), startMs };
  };
}

export async function timeOf(job: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await job();
  return performance.now() - start;
}

/**
 * Warms up and measures as planned. There is no warm-up if the previous run, which took `last` milliseconds, took more than a tenth
 * of the budget.
 */
export async function collectTimes(
  timed: () => Promise<number>,
  { repeats, budgetMs, warmUpMs }: Plan,
  last: number,
): Promise<number[]> {
  if (last < budgetMs / 10) for (let spent = await timed(); spent < warmUpMs; spent += await timed());
  const times: number[] = [];
  for (let spent = 0; times.length < repeats && spent <= budgetMs; spent += times.at(-1)!) {
    times.push(await timed());
  }
  return times;
}

/**
 * Times of training steps, measured between the progress reports of `fit`: each is a whole step, from assembling the batch
 * to updating the moving average of the weights. Work between epochs, such as validation, is not included.
 */
function measureTraining(
  flow: Flow,
  benchCase: Case & { readonly job: "train" },
  options: EngineOptions,
): Measure {
  return async ({ repeats, budgetMs, warmUpMs }) => {
    const { batch, dim } = benchCase;
    const rows = rowsOf(benchCase, DISTINCT_BATCHES * batch);
    const controller = new AbortController();
    const times: number[] = [];
    let [steps, warmUp, warmUpSpent, spent, startMs] = [0, warmUpMs, 0, 0, 0];
    let insideEpoch = false;
    let last = performance.now();
    await fit(flow, rows, {
      epochs: Number.MAX_SAFE_INTEGER,
      patience: Number.MAX_SAFE_INTEGER,
      batchSize: batch,
      optimizer: { learningRate: 1e-3 },
      validation: rows.subarray(0, batch * dim),
      initialize: false,
      ...options,
      signal: controller.signal,
      onProgress({ fraction }) {
        const ms = performance.now() - last;
        if (steps++ === 0) startMs = ms;
        else if (steps <= MIN_WARM_UP_STEPS || warmUpSpent < warmUp) warmUpSpent += ms;
        else if (insideEpoch && times.length < repeats) {
          times.push(ms);
          spent += ms;
        }
        // As for other jobs, a step that takes long is not warmed up for longer.
        if (steps === 2 && ms >= budgetMs / 10) warmUp = 0;
        if (times.length >= repeats || spent > budgetMs) controller.abort();
        insideEpoch = fraction < 1;
        last = performance.now();
      },
    });
    return { times, startMs };
  };
}
