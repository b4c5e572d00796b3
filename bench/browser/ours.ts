import { fit } from "../../src/index.ts";
import type { EngineOptions } from "../../src/runtime/index.ts";
import { flowOf, normalRows } from "../speed/flows.ts";
import type { Measure } from "../speed/measure.ts";
import type { TrainingCase } from "./page.ts";

/** Steps that are not measured: memory is planned, shaders are compiled. */
const WARM_UP = 3;

/**
 * Measures our training steps on an engine: the times between the batches of one epoch of `fit`. Each step is all of it,
 * from the assembly of the batch to the average of the weights.
 */
export function measureOurs(benchCase: TrainingCase, engine: EngineOptions): Measure {
  const flow = flowOf(benchCase);
  const { batch, dim } = benchCase;
  return async (repeats, budgetMs) => {
    const rows = normalRows((WARM_UP + repeats) * batch, dim);
    const enough = new AbortController();
    const start = performance.now();
    const ends: number[] = [];
    await fit(flow, rows, {
      epochs: 1,
      batchSize: batch,
      optimizer: { learningRate: 1e-3 },
      validation: { values: rows.subarray(0, batch * dim) },
      initialize: false,
      signal: enough.signal,
      ...engine,
      onProgress() {
        ends.push(performance.now());
        if (ends.length > WARM_UP && ends.at(-1)! - ends[WARM_UP - 1] > budgetMs) enough.abort();
      },
    });
    const times = ends.slice(1).map((end, i) => end - ends[i]);
    return { times: times.slice(WARM_UP - 1), startMs: ends[0] - start };
  };
}
