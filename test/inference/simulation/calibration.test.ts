import { afterAll, beforeAll, expect, test } from "vitest";
import {
  checkObservation,
  fitPosterior,
  posteriorPredictive,
  prior,
  SimulationPosterior,
  simulate,
  simulationBasedCalibration,
  simulator,
} from "../../../src/inference/index.ts";
import { largestDeviation } from "../../../src/inference/simulation/predictive.ts";
import type { Simulations } from "../../../src/inference/simulation/simulate.ts";
import { Random } from "../../../src/random/index.ts";
import { measurements, priorAsPosterior } from "./conjugate.ts";

const precise = measurements(0.5);
let posterior: SimulationPosterior<(typeof precise)["parameters"]>;

beforeAll(async () => {
  posterior = await fitPosterior(precise, {
    simulations: 2000,
    members: 1,
    fit: { epochs: 5 },
    threads: 1,
  });
});
afterAll(() => posterior.flow.release());

test("a right posterior is calibrated", async () => {
  const { columns } = await simulationBasedCalibration(posterior, { threads: 1, seed: 2 });
  expect(columns.map(({ name, isOutside }) => [name, isOutside])).toEqual([
    ["mu", false],
    ["distance to a reference point", false],
  ]);
});

test("a posterior that is too narrow is detected, and its histogram is U-shaped", async () => {
  const noisier = await simulate(measurements(1), 300, { seed: 5 });
  const { columns, band } = await simulationBasedCalibration(posterior, { simulations: noisier, threads: 1 });
  const [{ counts, coverage, isOutside }] = columns;
  expect(isOutside).toBe(true);
  expect(Math.min(counts[0]!, counts[9]!)).toBeGreaterThan(band[1]);
  expect(coverage[1]!.share).toBeLessThan(0.65);
});

test("the prior as a posterior is calibrated in each parameter, but not in the distance to a reference point", async () => {
  const ignorant = await priorAsPosterior(0.5);
  const { columns } = await simulationBasedCalibration(ignorant, { threads: 1 });
  expect(columns.map(({ isOutside }) => isOutside)).toEqual([false, true]);
  await ignorant.flow.release();
});

test("calibration simulates anew, also with the seed of the fit", async () => {
  const simulated: number[] = [];
  const recorded = simulator({ mu: prior.normal(0, 1) }, ({ mu }, random) => {
    simulated.push(mu);
    return random.normal(2).map((noise) => mu + noise);
  });
  const { flow } = await priorAsPosterior(1);
  const simulations = await simulate(recorded, 20, { seed: 1 });
  const fitted = new Set(simulated.splice(0));
  const ofSimulations = new SimulationPosterior({
    simulator: recorded,
    simulations,
    flow,
    validationLogDensity: 0,
  });
  await simulationBasedCalibration(ofSimulations, { simulations: 20, seed: 1, threads: 1 });
  await flow.release();
  expect(simulated).toHaveLength(20);
  expect(simulated.filter((mu) => fitted.has(mu))).toEqual([]);
});

test("an observation that no simulation resembles is detected", () => {
  const { simulations } = posterior;
  expect(checkObservation([0.3, 0.5], simulations)).toMatchObject({ outside: [] });
  expect(checkObservation([0.3, 0.5], simulations).share).toBeGreaterThan(0.3);
  expect(checkObservation([0.3, 9], simulations)).toEqual({ outside: [1], share: 0 });
  // Each value is common, but not both together.
  expect(checkObservation([2, -2], simulations)).toEqual({ outside: [], share: 0 });
});

test("predictive ranks are extreme for data that the simulator does not reproduce", async () => {
  const alike = await posteriorPredictive(posterior, [0.2, 0.6], { threads: 1 });
  expect(Math.min(...alike.ranks)).toBeGreaterThan(0.05);
  expect(Math.max(...alike.ranks)).toBeLessThan(0.95);
  expect(alike.simulations.count).toBe(1000);
  // The measurements of one mu differ by 0.7 on average, and not by 5.
  const { ranks } = await posteriorPredictive(posterior, [-2.5, 2.5], { threads: 1 });
  expect(ranks[0]).toBeLessThan(0.001);
  expect(ranks[1]).toBeGreaterThan(0.999);
});

test("the largest deviation has its significance for any number of values, and finds one that is wrong", () => {
  const values = 50;
  const random = new Random(1);
  const trials = Array.from({ length: 300 }, (_, trial) => {
    const data = random.split(trial).normal(new Float64Array(values * 401));
    const simulations = { count: 400, width: values, data: data.subarray(values) } as Simulations;
    return { observed: data.slice(0, values), simulations };
  });
  const shareBelow = (level: number) =>
    trials.filter(({ observed, simulations }) => largestDeviation(observed, simulations).pValue <= level)
      .length / trials.length;
  // A binomial count of 300 exceeds these shares with a probability of 1e-4.
  expect(shareBelow(0.01)).toBeLessThan(0.04);
  expect(shareBelow(0.1)).toBeLessThan(0.17);
  const [{ observed, simulations }] = trials;
  observed[7] = -8;
  expect(largestDeviation(observed, simulations)).toEqual({ index: 7, pValue: 1 / 401 });
});
