import { describe, expect, test, vi } from "vitest";
import { maf, nsf, stack, type Tensor } from "../../src/index.ts";
import {
  type Declarations,
  infer,
  interval,
  logProb,
  model,
  type ProbabilisticModel,
  positive,
  real,
  vector,
} from "../../src/inference/index.ts";
import { ShardedFunction } from "../../src/runtime/shardedFunction.ts";

const fit = { steps: 400, threads: 1 };

/** Three observations of a normal mean with a normal prior: the posterior and the evidence have closed forms. */
const observations = [1.1, 2.3, 1.9];
const conjugate = model({ mean: real() }, ({ mean }) => [
  logProb.normal(mean, 0, 2),
  logProb.normal(observations, mean, 0.5),
]);

describe("infer", () => {
  test.each(["nuts", "independence", "none"] as const)(
    "finds a posterior and an evidence with closed forms, with refinement %s",
    async (refinement) => {
      const result = await infer(conjugate, { refinement, fit, threads: 1 });
      const [n, total] = [3, observations.reduce((a, b) => a + b)];
      const precision = 1 / 4 + n / 0.25;
      const [{ name, mean, sd, q5, q95, rHat }] = result.summary;
      const sdExpected = 1 / Math.sqrt(precision);
      const meanExpected = total / 0.25 / precision;
      expect(name).toBe("mean");
      expect(Math.abs(mean - meanExpected)).toBeLessThan(0.08 * sdExpected);
      expect(Math.abs(sd / sdExpected - 1)).toBeLessThan(0.08);
      expect(Math.abs((q95 - q5) / (2 * 1.645 * sdExpected) - 1)).toBeLessThan(0.063);
      if (refinement !== "none") expect(rHat).toBeLessThan(1.01);
      // log N(y; 0, 0.25 I + 4 1 1^T)
      const squares = observations.reduce((sum, y) => sum + y * y, 0);
      const logDet = Math.log(0.25 ** 2 * (0.25 + 4 * n));
      const quadratic = (squares - (4 * total ** 2) / (0.25 + 4 * n)) / 0.25;
      const logEvidence = -0.5 * (n * Math.log(2 * Math.PI) + logDet + quadratic);
      expect(Math.abs(result.logEvidence - logEvidence)).toBeLessThan(4 * result.logEvidenceError + 1e-4);
      expect(result.elbo).toBeLessThan(logEvidence + 4 * result.elboError + 1e-4);
      expect(result.verdict).toBe("reliable");
      expect(result.reasons).toEqual([]);
      const { draws, logWeights } = result.weighted;
      const weightedMean = draws.mean.reduce((sum, x, i) => sum + x * Math.exp(logWeights[i]), 0);
      expect(Math.abs(weightedMean - meanExpected)).toBeLessThan(0.05 * sdExpected);
    },
  );

  test("returns draws by name in the constrained space", async () => {
    const two = model({ scale: positive(), shares: vector(2, interval(0, 1)) }, ({ scale, shares }) => [
      logProb.gamma(scale, 3, 2),
      logProb.beta(shares, 2, [1, 5]),
    ]);
    const { draws, summary } = await infer(two, {
      flow: maf(3, { transforms: 2, hidden: [16] }),
      fit: { ...fit, steps: 200 },
      threads: 1,
      chains: 4,
      draws: 500,
    });
    expect(draws.scale.length).toBe(2000);
    expect(draws.shares.length).toBe(4000);
    expect(draws.scale.every((x) => x > 0)).toBe(true);
    expect(draws.shares.every((x) => x > 0 && x < 1)).toBe(true);
    expect(summary.map(({ name }) => name)).toEqual(["scale", "shares[0]", "shares[1]"]);
    [1.5, 2 / 3, 2 / 7].forEach((mean, i) => {
      const { sd, bulkEffectiveSampleSize } = summary[i];
      expect(Math.abs(summary[i].mean - mean)).toBeLessThan((4 * sd) / Math.sqrt(bulkEffectiveSampleSize));
    });
  });

  test("is the same for the same seed", async () => {
    const small = {
      fit: { steps: 20, threads: 1 },
      threads: 1,
      chains: 2,
      draws: 10,
      warmUp: 20,
      samples: 100,
    };
    const [a, b, c] = [0, 0, 1].map((seed) => infer(conjugate, { ...small, seed }));
    expect((await a).draws).toEqual((await b).draws);
    expect((await a).draws).not.toEqual((await c).draws);
  });
});

test("calls the onProgress of its fit too, whose steps have their default if they are undefined", async () => {
  const controller = new AbortController();
  const fractions: number[] = [];
  let steps = 0;
  const stopped = infer(conjugate, {
    fit: { steps: undefined, batchSize: 8, onProgress: () => steps++ },
    threads: 1,
    signal: controller.signal,
    onProgress({ stage, fraction }) {
      if (stage !== "fit") return;
      fractions.push(fraction);
      if (fractions.length === 20) controller.abort();
    },
  });
  await expect(stopped).rejects.toThrow("stopped");
  expect(steps).toBe(fractions.length);
  expect(fractions[19]).toBeCloseTo(20 / 2000, 9);
});

test("releases the flow of its chains if they are not in the latent space of the result", async () => {
  const create = vi.spyOn(ShardedFunction, "create");
  const release = vi.spyOn(ShardedFunction.prototype, "release");
  const far = model({ x: vector(2) }, ({ x }) => [logProb.normal(x, 8, 1)]);
  const flow = maf(2, { transforms: 1, hidden: [4] });
  // The flow has almost no density on the mass, since its parameters hardly change.
  const { reasons } = await infer(far, {
    ...{ flow, fit: { steps: 1, batchSize: 8 }, threads: 1, chains: 2, draws: 20, warmUp: 20, samples: 200 },
  });
  expect(reasons.join(" ")).toContain("The flow has almost no density");
  await flow.release();
  const created = await Promise.all(create.mock.results.map(({ value }) => value));
  const released = new Set(release.mock.contexts);
  vi.restoreAllMocks();
  expect(created.filter((each) => !released.has(each))).toEqual([]);
});

test.each(["pilot", "fit", "chains"] as const)("is stopped by its signal in the stage %s", async (stage) => {
  const controller = new AbortController();
  const stages = new Set<string>();
  const stopped = infer(conjugate, {
    ...{ fit: { ...fit, steps: 20 }, threads: 1, signal: controller.signal },
    onProgress(progress) {
      stages.add(progress.stage);
      if (progress.stage === stage) controller.abort();
    },
  });
  await expect(stopped).rejects.toThrowErrorMatchingInlineSnapshot(`
    [PushforwardError: the inference was stopped before its end.
    The option signal was aborted. For a result, run it again and let it finish.]
  `);
  expect([...stages].at(-1)).toBe(stage);
});

test("parameters may have the names of inputs, outputs and parameters of graphs", async () => {
  const parameters = { u: real(), x: real(), output0: real(), parameter0: real() };
  const named = model(parameters, ({ u, x, output0, parameter0 }) =>
    [u, x, output0, parameter0].map((value) => logProb.normal(value, 0, 1)),
  );
  const { summary } = await infer(named, { refinement: "none", fit: { steps: 5, threads: 1 }, threads: 1 });
  expect(summary.map(({ name }) => name)).toEqual(["u", "x", "output0", "parameter0"]);
});

test.each([0, 1])("keeps the flow with the largest bound of several fits, at index %d", async (best) => {
  // After one step, the best flow is about a normal distribution, and the other one is not.
  const flows = [nsf(1, { transforms: 1, hidden: [8] }), nsf(1, { transforms: 1, hidden: [8] })];
  flows.forEach((flow, i) => {
    for (const [name, parameter] of flow.parameters())
      if (name.endsWith("bias")) parameter.value.fill(i === best ? 0 : 3);
  });
  const standard = model({ x: real() }, ({ x }) => logProb.normal(x, 0, 1));
  const { flow } = await infer(standard, {
    flow: (seed) => flows[seed]!,
    restarts: 2,
    fit: { steps: 1, threads: 1 },
    refinement: "none",
    threads: 1,
  });
  expect(flow).toBe(flows[best]);
});

describe("the verdict", () => {
  /** Neal's funnel: log Z is 0, and the standard deviation of v is 3. */
  const funnel = model({ v: real(), x: real() }, ({ v, x }) => [
    logProb.normal(v, 0, 3),
    logProb.normal(x, 0, v.mul(0.5).exp()),
  ]);

  test("is reliable for the default flow, which has the tails of the funnel", async () => {
    const result = await infer(funnel, { fit: { steps: 1000, threads: 1 }, threads: 1 });
    expect(result.verdict).toBe("reliable");
    expect(Math.abs(result.logEvidence)).toBeLessThan(4 * result.logEvidenceError);
    expect(Math.abs(result.summary[0].sd / 3 - 1)).toBeLessThan(0.05);
  });

  test("says that a flow with bounded splines misses mass, and that chains without it do not converge", async () => {
    const flow = nsf(2, { kind: "coupling", bound: 8, hidden: [32, 32], transforms: 4 });
    const { verdict, reasons } = await infer(funnel, {
      ...{ flow, fit: { steps: 400, threads: 1 }, threads: 1, draws: 150 },
    });
    expect(verdict).toBe("unreliable");
    expect(reasons.join(" ")).toMatch(/The flow has almost no density on about \d+/);
    expect(reasons.join(" ")).toMatch(/trajectories diverged/);
  });

  test("says that a flow lost one of two modes, and the evidence has both", async () => {
    const modes = model({ x: vector(2) }, ({ x }) => {
      const mode = (center: number): Tensor => logProb.normal(x, center, 0.3).sum(1);
      return stack([mode(2), mode(-2)], 1).logsumexp(1);
    });
    const result = await infer(modes, { fit: { steps: 300, threads: 1 }, threads: 1, draws: 2000 });
    expect(result.verdict).toBe("missed mass");
    expect(result.reasons).toHaveLength(1);
    expect(Math.abs(result.logEvidence - Math.log(2))).toBeLessThan(4 * result.logEvidenceError);
    expect(Math.abs(result.summary[0].mean)).toBeLessThan(0.3);
    expect(result.elbo).toBeLessThan(0.1);
  });
});

describe("errors", () => {
  const messageOf = async (m: ProbabilisticModel<Declarations>, options?: object): Promise<string> => {
    try {
      await infer(m, options);
    } catch (error) {
      return (error as Error).message;
    }
    throw new Error("nothing was thrown");
  };

  test("say that something else is not a model", async () => {
    for (const other of [undefined, {}, nsf(2)])
      await expect(infer(other as never)).rejects.toThrow("the first argument of infer is not a model");
  });

  test("name the option, or the point where the density is not finite", async () => {
    const nowhere = model({ a: positive(), b: vector(2) }, ({ a, b }) => [a.neg().sub(1).log(), b]);
    const above = model({ a: real() }, ({ a }) => [logProb.normal(a, 0, 1), a.add(1.5).log()]);
    const wideFlow = { flow: nsf(3) };
    expect({
      "not finite anywhere": await messageOf(nowhere),
      "not finite at some draws": await messageOf(above),
      "an unknown option": await messageOf(conjugate, { chain: 2 }),
      "an invalid option": await messageOf(conjugate, { chains: 1 }),
      "chains of few draws": await messageOf(conjugate, {
        refinement: "independence",
        samples: 100,
        chains: 50,
      }),
      "another number of features": await messageOf(conjugate, wideFlow),
      "an option of the fit that infer sets": await messageOf(conjugate, { fit: { seed: 1 } }),
      "one flow for several seeds": await messageOf(conjugate, { flow: nsf(1), restarts: 2 }),
    }).toMatchInlineSnapshot(`
      {
        "an invalid option": "an option of infer is not valid at chains: expected at least 2, received 1.",
        "an option of the fit that infer sets": "the option fit of infer cannot have seed, which infer sets.
      Give seed as an option of infer.",
        "an unknown option": "an option of infer is not valid: expected one of flow, restarts, fit, onProgress, providers, threads, signal, samples, refinement, chains, draws, warmUp, targetAcceptance, maxDepth, seed, received chain (did you mean chains?).",
        "another number of features": "the flow has a different number of features from the model: expected 1 features, one for each unconstrained coordinate, received 3.",
        "chains of few draws": "the chains of infer have too few draws: expected at least 500 samples, 10 for each of 50 chains, received 100.",
        "not finite anywhere": "the log-density or its gradient is not finite at nearly all random starts: expected 8 finite starts, received 0 of 800; the log-density is NaN at a = 0.2879, b = (0.1878, -0.6973): term 0 of the log-density is NaN.
      The density must be positive for all values that the constraints allow: declare bounds by constraints.",
        "not finite at some draws": "the log-density is not finite at some draws of the normal distribution that approximates the posterior: expected a finite number for all values that the constraints allow, received NaN at a = -1.86: term 1 of the log-density is NaN; it is not finite at 24 of 1000 draws.
      Declare bounds by constraints, and bound the arguments of logarithms and roots.",
        "one flow for several seeds": "the option restarts of infer needs a new flow for each seed: expected a function as the option flow, such as (seed) => nsf(2, { seed }), received a Flow.",
      }
    `);
  });
});
