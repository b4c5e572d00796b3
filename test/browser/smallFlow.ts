import { cnf, type FitEpoch, type Flow, fit, nsf, planarFlow, toys } from "../../src/index.ts";
import type { EngineOptions } from "../../src/runtime/index.ts";
import { perturb } from "../nn/perturb.ts";

/** What training gives, as plain arrays: they travel from a page to a test. */
export interface Trained {
  /** log p of `POINTS` before training, in both precisions. */
  readonly start: readonly number[];
  readonly start64: readonly number[];
  readonly epochs: readonly FitEpoch[];
  /** log p of `POINTS` after it. */
  readonly logDensities: readonly number[];
  /** Rows drawn with a fixed seed. */
  readonly samples: readonly number[];
  /** log p of `POINTS` by flows whose densities are loops: root finding, and an integration. */
  readonly looped: readonly number[];
}

const POINTS = [-1.5, 0.2, -0.5, 0.9, 0, 0, 0.4, -0.6, 1.1, 0.3, 2, 1, -4, 3];

/** Trains a small neural spline flow on two moons. Everything is seeded, so that the results in Node and in a page differ only by rounding. */
export async function trainSmallFlow(engine: EngineOptions = {}): Promise<Trained> {
  const flow = nsf(2, { hidden: [16, 16], transforms: 2, seed: 3 });
  const start = await flow.logProb(POINTS, undefined, engine);
  const start64 = await flow.logProb(POINTS, undefined, { ...engine, precision: "float64" });
  const { epochs } = await fit(flow, toys.twoMoons(1000, { seed: 6 }), {
    epochs: 5,
    batchSize: 100,
    optimizer: { learningRate: 0.005 },
    seed: 4,
    ...engine,
  });
  return {
    start: [...start],
    start64: [...start64],
    epochs,
    logDensities: [...(await flow.logProb(POINTS, undefined, engine))],
    samples: [...(await flow.sample(20, { seed: 5, ...engine }))],
    looped: [
      ...(await perturbed(planarFlow(2, { transforms: 2, closedForm: "sampling", seed: 3 })).logProb(
        POINTS,
        undefined,
        engine,
      )),
      ...(await perturbed(cnf(2, { hidden: [8], seed: 3 })).logProb(POINTS, undefined, engine)),
    ],
  };
}

function perturbed(flow: Flow): Flow {
  perturb(flow.parameters());
  return flow;
}
