import { cnf, type FitEpoch, type Flow, fit, nsf, planarFlow, Random } from "../../src/index.ts";
import type { EngineOptions } from "../../src/runtime/index.ts";

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

/** Trains a small neural spline flow on two moons. Everything is seeded: places differ by rounding alone. */
export async function trainSmallFlow(engine: EngineOptions = {}): Promise<Trained> {
  const flow = nsf(2, { hidden: [16, 16], transforms: 2, seed: 3 });
  const start = await flow.logProb(POINTS, undefined, engine);
  const start64 = await flow.logProb(POINTS, undefined, { ...engine, precision: "float64" });
  const { epochs } = await fit(flow, twoMoons(1000), {
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
      ...(await moved(planarFlow(2, { transforms: 2, closedForm: "sampling", seed: 3 })).logProb(
        POINTS,
        undefined,
        engine,
      )),
      ...(await moved(cnf(2, { hidden: [8], seed: 3 })).logProb(POINTS, undefined, engine)),
    ],
  };
}

/** With its parameters away from their start, which is the identity. */
function moved(flow: Flow): Flow {
  for (const [name, { value }] of flow.parameters())
    new Random(7)
      .split(name)
      .normal(new Float64Array(value.length))
      .forEach((v, i) => {
        value[i] += 0.3 * v;
      });
  return flow;
}

/** Two half circles that reach into each other, with noise: [n, 2]. */
function twoMoons(n: number): Float64Array {
  const random = new Random(6).split("two moons");
  const angles = random.uniform(new Float64Array(n));
  const rows = random.normal(new Float64Array(2 * n)).map((noise) => 0.1 * noise);
  for (let i = 0; i < n; i++) {
    const upper = i % 2 === 0;
    const [x, y] = [Math.cos(Math.PI * angles[i]), Math.sin(Math.PI * angles[i])];
    rows[2 * i] += upper ? x - 0.5 : 0.5 - x;
    rows[2 * i + 1] += upper ? y - 0.25 : 0.25 - y;
  }
  return rows;
}
