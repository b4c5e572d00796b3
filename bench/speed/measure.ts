import type { Flow } from "../../src/flows/flow.ts";
import type { EngineOptions } from "../../src/runtime/index.ts";
import { fit } from "../../src/train/index.ts";
import type { Case } from "./cases.ts";
import { flowOf, normalRows } from "./flows.ts";
import { THREADS } from "./protocol.ts";

/** Steps of a training that are not measured: threads start, memory is planned. */
const WARM_UP = 3;

export interface Measurement {
  /** Time of each repeat in milliseconds. */
  readonly times: readonly number[];
  /** Time to the first result in milliseconds. */
  readonly startMs: number;
}

/** Measures up to so many repeats, and no more once they add up to the budget. */
export type Measure = (repeats: number, budgetMs: number) => Promise<Measurement>;

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
  const timed = async () => {
    const start = performance.now();
    await job();
    return performance.now() - start;
  };
  return async (repeats, budgetMs) => {
    const startMs = await timed();
    const times: number[] = [];
    for (let spent = 0; times.length < repeats && spent <= budgetMs; spent += times.at(-1)!) {
      times.push(await timed());
    }
    return { times, startMs };
  };
}

/**
 * Times between the batches of one epoch of `fit`: all that a step of training consists of, from the assembly of the batch
 * to the average of the weights. What `fit` does around the batches is in none of them.
 */
function training(flow: Flow, benchCase: Case & { readonly job: "train" }, options: EngineOptions): Measure {
  return async (repeats, budgetMs) => {
    const { batch, dim } = benchCase;
    const rows = normalRows((WARM_UP + repeats) * batch, dim);
    const enough = new AbortController();
    const times: number[] = [];
    let [steps, spent, startMs] = [0, 0, 0];
    let last = performance.now();
    await fit(flow, rows, {
      epochs: 1,
      batchSize: batch,
      optimizer: { learningRate: 1e-3 },
      validation: { values: rows.subarray(0, batch * dim) },
      initialize: false,
      ...options,
      signal: enough.signal,
      onProgress() {
        const now = performance.now();
        if (steps === 0) startMs = now - last;
        if (++steps > WARM_UP) times.push(now - last);
        spent += times.at(-1) ?? 0;
        if (spent > budgetMs) enough.abort();
        last = now;
      },
    });
    return { times, startMs };
  };
}
