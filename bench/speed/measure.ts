import type { Flow } from "../../src/flows/flow.ts";
import type { EngineOptions } from "../../src/runtime/index.ts";
import { fit } from "../../src/train/index.ts";
import type { Case } from "./cases.ts";
import { flowOf, normalRows } from "./flows.ts";
import { THREADS } from "./protocol.ts";

/** Steps of a training that are at least unmeasured: threads start, memory is planned. */
const WARM_UP = 3;

/** Batches of different rows. */
const BATCHES = 8;

export interface Measurement {
  /** Time of each repeat in milliseconds. */
  readonly times: readonly number[];
  /** Time to the first result in milliseconds. */
  readonly startMs: number;
}

export interface Plan {
  /** Up to so many repeats are measured, */
  readonly repeats: number;
  /** and no more once they add up to so much, */
  readonly budgetMs: number;
  /** after unmeasured ones that add up to so much: code is compiled and caches are warm. */
  readonly warmUpMs: number;
}

export type Measure = (plan: Plan) => Promise<Measurement>;

/** Builds what a case needs; each call then measures it. */
export function measureOf(benchCase: Case, options: EngineOptions = { threads: THREADS }): Measure {
  const flow = flowOf(benchCase);
  if (benchCase.job === "train") return training(flow, benchCase, options);
  const { job, rows } = benchCase;
  const x = normalRows(rows, benchCase.dim);
  return repeated(
    job === "logProb" ? () => flow.logProb(x, undefined, options) : () => flow.sample(rows, options),
  );
}

/** Runs a job again and again, once before that unmeasured. */
function repeated(job: () => Promise<unknown>): Measure {
  const timed = () => timeOf(job);
  return async (plan) => {
    const startMs = await timed();
    return { times: await timesOf(timed, plan, startMs), startMs };
  };
}

export async function timeOf(job: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await job();
  return performance.now() - start;
}

/** The times of what the plan asks for. A repeat that may take a tenth of the budget, as the `last` one did, is not warmed up. */
export async function timesOf(
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
 * Times between the batches of an epoch of `fit`: all that a step of training consists of, from the assembly of the batch
 * to the average of the weights. What `fit` does around the batches of an epoch is in none of them.
 */
function training(flow: Flow, benchCase: Case & { readonly job: "train" }, options: EngineOptions): Measure {
  return async ({ repeats, budgetMs, warmUpMs }) => {
    const { batch, dim } = benchCase;
    const rows = normalRows(BATCHES * batch, dim);
    const enough = new AbortController();
    const times: number[] = [];
    let [steps, warm, spent, startMs] = [0, 0, 0, 0];
    let between = false;
    let last = performance.now();
    await fit(flow, rows, {
      epochs: Number.MAX_SAFE_INTEGER,
      patience: Number.MAX_SAFE_INTEGER,
      batchSize: batch,
      optimizer: { learningRate: 1e-3 },
      validation: rows.subarray(0, batch * dim),
      initialize: false,
      ...options,
      signal: enough.signal,
      onProgress({ fraction }) {
        const ms = performance.now() - last;
        if (steps++ === 0) startMs = ms;
        else if (steps <= WARM_UP || warm < warmUpMs) warm += ms;
        else if (between && times.length < repeats) {
          times.push(ms);
          spent += ms;
        }
        if (times.length >= repeats || spent > budgetMs) enough.abort();
        between = fraction < 1;
        last = performance.now();
      },
    });
    return { times, startMs };
  };
}
