import { expect, test } from "vitest";
import { StandardNormal } from "../../../src/distributions/standardNormal.ts";
import { Flow } from "../../../src/flows/flow.ts";
import { nsf } from "../../../src/flows/recipes/spline.ts";
import type { Tensor } from "../../../src/graph/tensor.ts";
import {
  fitLikelihood,
  fitPosterior,
  inferSimulator,
  prior,
  SimulationPosterior,
  simulator,
  vector,
} from "../../../src/inference/index.ts";
import { keptMembers } from "../../../src/inference/simulation/conditionalDensity.ts";
import { sampleTruncatedPrior } from "../../../src/inference/simulation/truncatedPrior.ts";
import { mean } from "../../../src/numerics/mean.ts";
import { Random } from "../../../src/random/index.ts";
import { decodeModel } from "../../../src/tables/model/decodeModel.ts";
import { encodeModel } from "../../../src/tables/model/encodeModel.ts";
import { exactPosterior, measurements, priorAsPosterior } from "./conjugate.ts";

const sdOf = (values: Float64Array) => {
  const center = mean(values);
  return Math.sqrt(mean(values.map((x) => (x - center) ** 2)));
};

test("the posterior of a normal mean is that of the conjugate prior, for any observation", async () => {
  const posterior = await fitPosterior(measurements(0.5), {
    simulations: 1000,
    members: 2,
    fit: { epochs: 2 },
    threads: 1,
  });
  for (const observed of [
    [0.3, 0.9],
    [-1.2, -0.8],
  ]) {
    const { mu } = await posterior.sample(observed, 4000, { seed: 1 });
    const exact = exactPosterior(0.5, observed);
    expect(Math.abs(mean(mu) - exact.mean)).toBeLessThan(0.15 * exact.sd);
    expect(Math.abs(sdOf(mu) / exact.sd - 1)).toBeLessThan(0.12);
  }
  await posterior.flow.release();
});

test("draws lie in the support of the prior", async () => {
  const uniform = simulator({ mu: prior.uniform(0, 1) }, ({ mu }, random) => [mu + 0.3 * random.normal()]);
  const posterior = await fitPosterior(uniform, {
    simulations: 300,
    members: 1,
    fit: { epochs: 3 },
    threads: 1,
  });
  const { mu } = await posterior.sample([1.4], 1000);
  await posterior.flow.release();
  expect(mu.every((value) => value >= 0 && value <= 1)).toBe(true);
});

test("the log-density is that of the parameters, for any observation", async () => {
  const posterior = await fitPosterior(measurements(0.5), {
    simulations: 1000,
    members: 2,
    fit: { epochs: 2 },
    threads: 1,
  });
  const observed = [0.3, 0.9];
  const exact = exactPosterior(0.5, observed);
  const mu = [-1, 0, 1].map((z) => exact.mean + z * exact.sd);
  const logProb = await posterior.logProb(observed, { mu }, { threads: 1 });
  await posterior.flow.release();
  logProb.forEach((value, i) => {
    const density = -0.5 * (i - 1) ** 2 - Math.log(exact.sd * Math.sqrt(2 * Math.PI));
    expect(Math.abs(value - density)).toBeLessThan(0.25);
  });
});

test("a posterior that is the prior has the density of the prior, and none outside its support", async () => {
  const parameters = {
    rate: prior.exponential(2),
    place: vector(
      2,
      prior.uniform(-1, ({ rate }: { rate: Tensor }) => rate),
    ),
  };
  const noise = simulator(parameters, (_, random) => [random.normal()]);
  const { bijection } = nsf(3, { context: 1, transforms: 1 });
  const flow = new Flow(new StandardNormal({ features: 3 }), bijection);
  const posterior = new SimulationPosterior({ simulator: noise, flow });
  const rate = [0.5, 2, 1, -0.1];
  const place = [-0.9, 0.2, 1.9, 0, 0.5, 1.1, 0, 0];
  const logProb = await posterior.logProb([0], { rate, place });
  expect(logProb[0]).toBeCloseTo(Math.log(2) - 2 * 0.5 - 2 * Math.log(1.5), 5);
  expect(logProb[1]).toBeCloseTo(Math.log(2) - 2 * 2 - 2 * Math.log(3), 5);
  expect([...logProb.subarray(2)]).toEqual([Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY]);
  expect(await posterior.logProb([0], { rate: [], place: [] })).toHaveLength(0);
  await flow.release();
});

test("values of the parameters with wrong names, wrong lengths or NaN are errors", async () => {
  const posterior = await priorAsPosterior(1);
  const ofMu = (mu: number[]) => posterior.logProb([1, 2], { mu });
  await expect(ofMu([0, Number.NaN])).rejects.toThrowErrorMatchingInlineSnapshot(
    `[PushforwardError: value 1 of the parameter mu is not a number: received NaN.]`,
  );
  await expect(posterior.logProb([1, 2], { nu: [0] } as never)).rejects.toThrowErrorMatchingInlineSnapshot(
    `[PushforwardError: there are values of a parameter that the simulator does not have: expected mu, received nu (did you mean mu?).]`,
  );
  await expect(posterior.logProb([1, 2], {} as never)).rejects.toThrowErrorMatchingInlineSnapshot(
    `[PushforwardError: the parameters have different numbers of values: expected n values for each, mu [n], received no numbers of mu.]`,
  );
  await posterior.flow.release();
});

test("a flow of a model file is a posterior again", async () => {
  const posterior = await priorAsPosterior(1);
  const { flow } = await decodeModel(encodeModel({ flow: posterior.flow }));
  const { simulator } = posterior;
  const again = new SimulationPosterior({ simulator, flow });
  const [before, after] = await Promise.all(
    [posterior, again].map((each) => each.sample([1, 2], 5, { seed: 3 })),
  );
  expect(after).toEqual(before);
  expect(() => again.simulations).toThrowErrorMatchingInlineSnapshot(`
    [PushforwardError: this posterior was created without simulations.
    simulate(posterior.simulator, 1000) draws new ones.]
  `);
  await Promise.all([flow.release(), posterior.flow.release()]);
  const unconditional = new Flow(new StandardNormal({ features: 2 }));
  expect(
    () => new SimulationPosterior({ simulator, flow: unconditional }),
  ).toThrowErrorMatchingInlineSnapshot(
    `[PushforwardError: the flow is not a posterior of this simulator: expected 1 features, one for each coordinate of the prior, and a context, received 2 features and 0 context features.]`,
  );
});

test("refuses a second round whose simulations have another number of values", async () => {
  let runs = 0;
  const growing = simulator({ mu: prior.normal(0, 1) }, ({ mu }) => (runs++ < 50 ? [mu] : [mu, mu]));
  const options = { simulations: 100, rounds: 2, observed: [0.5], members: 1, fit: { epochs: 1 } };
  await expect(fitPosterior(growing, options)).rejects.toThrow(
    "expected 1 numbers, as in another simulation, received 2 numbers",
  );
});

test("a second round simulates where the posterior of the first one is", async () => {
  const posterior = await fitPosterior(measurements(0.2), {
    simulations: 600,
    rounds: 2,
    observed: [1, 1],
    members: 1,
    fit: { epochs: 3 },
    threads: 1,
  });
  const { coordinates, count } = posterior.simulations;
  await posterior.flow.release();
  expect(count).toBe(600);
  const exact = exactPosterior(0.2, [1, 1]);
  const second = coordinates.subarray(300);
  expect(Math.abs(mean(second) - exact.mean)).toBeLessThan(exact.sd);
  // The region has all but 1e-4 of the mass, which is 3.9 standard deviations to either side, and the prior is almost flat there.
  expect(Math.max(...second) - Math.min(...second)).toBeGreaterThan(5 * exact.sd);
  expect(Math.max(...second) - Math.min(...second)).toBeLessThan(12 * exact.sd);
});

test("a parameter of a simulator may have the name of an input of a graph", async () => {
  const noisy = simulator({ u: prior.normal(0, 1) }, ({ u }, random) => [u + random.normal()]);
  const posterior = await fitPosterior(noisy, {
    simulations: 100,
    members: 1,
    fit: { epochs: 1 },
    threads: 1,
  });
  const draws = await posterior.sample([0.5], 10);
  await posterior.flow.release();
  expect(draws.u.length).toBe(10);
});

test("several rounds need an observation", async () => {
  await expect(fitPosterior(measurements(1), { rounds: 2 })).rejects.toThrowErrorMatchingInlineSnapshot(
    `[PushforwardError: several rounds of fitPosterior need the option observed: received 2 rounds and no observation.]`,
  );
  await expect(fitPosterior(measurements(1), { rounds: 0 })).rejects.toThrow(
    "the option rounds of fitPosterior",
  );
});

test("an observation of a different size from a simulation is an error", async () => {
  const posterior = await priorAsPosterior(1);
  await expect(posterior.sample([1], 10)).rejects.toThrowErrorMatchingInlineSnapshot(
    `[PushforwardError: the observation has a different number of values from a simulation: expected 2, received 1.]`,
  );
  await expect(posterior.sample([1, Number.NaN], 10)).rejects.toThrowErrorMatchingInlineSnapshot(
    `[PushforwardError: value 1 of the observation is not a finite number: received NaN.]`,
  );
  await expect(
    posterior.sample(
      [
        [1, 2],
        [3, 4],
      ] as never,
      10,
    ),
  ).rejects.toThrowErrorMatchingInlineSnapshot(`
    [PushforwardError: the observation has a value that is not a number: expected the numbers of one observation, received [1,2].
    Each observation has a posterior of its own: give one after the other.]
  `);
});

test("a mixture of many flows leaves out those with small weights, but not all", () => {
  expect(keptMembers([0.5, 0.01, 0.49])).toEqual([0, 2]);
  expect(keptMembers(new Array(60).fill(1 / 60))).toHaveLength(60);
  expect(keptMembers([...new Array(90).fill(0.011), 0.01])).toHaveLength(90);
});

test("a number of simulations that is not an integer is an error", async () => {
  await expect(fitPosterior(measurements(1), { simulations: 2.5 })).rejects.toThrow(
    "the number of simulations is not valid: expected a positive integer, received 2.5",
  );
});

test("one simulation is too few", async () => {
  await expect(fitPosterior(measurements(1), { simulations: 1 })).rejects.toThrowErrorMatchingInlineSnapshot(
    `[PushforwardError: there are too few simulations for a fit: expected at least 2 with finite values, and hundreds for a useful result, received 1.]`,
  );
});

test("options of fit that the inference sets are errors, and both callbacks are called", async () => {
  const settings = { simulations: 40, members: 1, threads: 1 };
  for (const own of [{ seed: 1 }, { validation: [1] }, { validationFraction: 0.3 }, { initialize: true }])
    await expect(fitPosterior(measurements(1), { ...settings, fit: own as object })).rejects.toThrow(
      "the option fit of fitPosterior has an invalid value: expected an object with options of fit other than seed, validation, validationFraction, initialize, received",
    );
  await expect(fitLikelihood(measurements(1), { ...settings, fit: 3 as never })).rejects.toThrow(
    "the option fit of fitLikelihood has an invalid value",
  );
  const calls: string[] = [];
  const { flow } = await fitPosterior(measurements(1), {
    ...settings,
    fit: { epochs: 1, onProgress: ({ epoch }) => calls.push(`epoch ${epoch}`) },
    onProgress: ({ member }) => calls.push(`member ${member}`),
  });
  await flow.release();
  expect(calls).toEqual(["member 0", "epoch 1"]);
});

test("a signal stops simulations, also of a simulator that does not wait for anything, and fits", async () => {
  let count = 0;
  const slow = simulator({ mu: prior.normal(0, 1) }, ({ mu }) => {
    count++;
    for (const end = performance.now() + 2; performance.now() < end; );
    return [mu];
  });
  const settings = { simulations: 5000, members: 1, threads: 1 };
  await expect(
    fitPosterior(slow, { ...settings, signal: AbortSignal.timeout(100) }),
  ).rejects.toThrowErrorMatchingInlineSnapshot(`
    [PushforwardError: the inference was stopped before its end.
    The option signal was aborted. For a result, run it again and let it finish.]
  `);
  expect(count).toBeLessThan(5000);
  const controller = new AbortController();
  let steps = 0;
  const onProgress = () => {
    steps++;
    controller.abort();
  };
  await expect(
    inferSimulator(measurements(1), [1, 2], { ...settings, signal: controller.signal, onProgress }),
  ).rejects.toThrow("the inference was stopped before its end");
  expect(steps).toBe(1);
  const flow = nsf(1, { context: 1, transforms: 1, hidden: [4] });
  const draws = sampleTruncatedPrior(flow, Float64Array.of(0), 100, new Random(0), {
    signal: AbortSignal.abort(),
  });
  await expect(draws).rejects.toMatchObject({ code: "INTERRUPTED" });
  await flow.release();
});

test("an observation is checked before the fit", async () => {
  let steps = 0;
  const onProgress = () => {
    steps++;
  };
  await expect(
    inferSimulator(measurements(1), [1, 2, 3], { simulations: 100, members: 1, onProgress }),
  ).rejects.toThrow("the observation has a different number of values from a simulation");
  await expect(
    // @ts-expect-error The observation is required.
    inferSimulator(measurements(1), undefined, { simulations: 100, members: 1, onProgress }),
  ).rejects.toThrow("the observation has a different number of values from a simulation");
  await expect(
    inferSimulator(measurements(1), [1, Number.NaN], { simulations: 100, members: 1, onProgress }),
  ).rejects.toThrow("value 1 of the observation is not a finite number");
  for (const infer of [
    inferSimulator,
    (simulator, observed, options) => fitPosterior(simulator, { ...options, observed }),
  ] as (typeof inferSimulator)[])
    await expect(
      infer(measurements(1), [[1], [2]] as never, { simulations: 100, members: 1, onProgress }),
    ).rejects.toThrow("the observation has a value that is not a number");
  expect(steps).toBe(0);
});

test("with an embedding network the posterior does not depend on the order of measurements, and is saved", async () => {
  const posterior = await fitPosterior(measurements(0.5), {
    simulations: 200,
    members: 2,
    embedding: { items: 2, size: 2, network: { hidden: [8] } },
    fit: { epochs: 2 },
    threads: 1,
  });
  const { flow } = posterior;
  const [first, second] = await Promise.all(
    [
      [0.3, 0.9],
      [0.9, 0.3],
    ].map((x) => flow.logProb([0.5], x)),
  );
  expect(first![0]).toBeCloseTo(second![0]!, 5);
  const loaded = await decodeModel(await encodeModel({ flow }));
  expect((await loaded.flow.logProb([0.5], [0.3, 0.9]))[0]).toBeCloseTo(first![0]!, 6);
  await Promise.all([flow.release(), loaded.flow.release()]);
});
