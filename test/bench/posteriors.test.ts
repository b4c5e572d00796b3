import { gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { errorsOf } from "../../bench/posteriors/errors.ts";
import { others } from "../../bench/posteriors/others.ts";
import { readData, readReference } from "../../bench/posteriors/reference.ts";
import { regressions } from "../../bench/posteriors/regressions.ts";
import { timeSeries } from "../../bench/posteriors/timeSeries.ts";
import type { Tensor } from "../../src/graph/index.ts";
import { positive, vector } from "../../src/inference/index.ts";
import { elementNames } from "../../src/inference/model.ts";
import { Random } from "../../src/random/index.ts";
import { temporaryDirectory } from "../data/temporaryFiles.ts";
import { run } from "../graph/run.ts";

const { path, write } = temporaryDirectory();

/** Data of a few rows, with the fields of all posteriors. */
const count = 12;
const numbers = (seed: number) => [...new Random(seed).uniform(new Float64Array(count))].map((u) => 1 + u);
const rows = Array.from({ length: count }, (_, i) => [1, ...numbers(i).slice(0, 2)]);
const example = {
  ...Object.fromEntries(
    [
      ...["y", "x", "Y", "sigma", "earn", "height", "male", "kid_score", "mom_hs", "mom_iq", "weight"],
      ...["diam1", "diam2", "canopy_height", "total_height", "group", "partyid7", "real_ideo", "race_adj"],
      ...["educ1", "gender", "income"],
    ].map((name, i) => [name, numbers(i)]),
  ),
  age_discrete: numbers(0).map((_, i) => 1 + (i % 4)),
  X: rows,
  ...{ K: 3, sigma1: 0.5, pmualpha: 9, psalpha: 100, pmubeta: 0, psbeta: 0.03 },
};
const schools = { y: [28, 8, -3, 7, -1, 1, 18, 12], sigma: [15, 10, 16, 11, 9, 11, 10, 18] };

const posteriors = { ...regressions, ...timeSeries, ...others };

describe("the posteriors", () => {
  test.each(Object.entries(posteriors))("%s has a finite log-density", async (name, { model }) => {
    const data = name.startsWith("eight") ? schools : example;
    const { features, logDensity } = model(data as never);
    const u = new Random(0).uniform(new Float64Array(3 * features));
    const { value } = await run((x) => ({ value: logDensity(x) }), [["N", features]], [u]);
    expect(value.every(Number.isFinite)).toBe(true);
  });
});

test("the log-likelihood of the hidden Markov model sums over all paths of states", async () => {
  const y = [3.2, 9.5, 10.1];
  const { constrain, logDensity } = timeSeries["hmm_example-hmm_example"].model({ y } as never);
  const { theta1, theta2, mu, result, logDet } = await run(
    (u): Record<"theta1" | "theta2" | "mu" | "result" | "logDet", Tensor> => {
      const { values, logDet } = constrain(u);
      const { theta1, theta2, mu } = values as Record<string, Tensor>;
      return { theta1, theta2, mu, result: logDensity(u), logDet };
    },
    [["N", 4]],
    [[0.3, -0.4, 1.1, 1.9]],
  );
  const normal = (x: number, mean: number) => Math.exp(-0.5 * (x - mean) ** 2) / Math.sqrt(2 * Math.PI);
  let likelihood = 0;
  for (let path = 0; path < 8; path++) {
    const states = [0, 1, 2].map((t) => (path >> t) & 1);
    const transitions = [theta1, theta2];
    likelihood += states.reduce(
      (product, state, t) =>
        product * normal(y[t], mu[state]) * (t === 0 ? 1 : transitions[states[t - 1]][state]),
      1,
    );
  }
  const prior = normal(mu[0], 3) * normal(mu[1], 10);
  expect(result[0] - logDet[0]).toBeCloseTo(Math.log(likelihood * prior), 10);
});

test("errors are in units of the reference standard deviations", () => {
  const parameters = { beta: vector(2), sigma: positive() };
  expect(elementNames(parameters)).toEqual(["beta[0]", "beta[1]", "sigma"]);
  const header = "beta[1],beta[2],sigma";
  const lines = Array.from({ length: 101 }, (_, i) => `${i},${-i},${2 * i}`);
  write("toy-model.draws.csv.gz", gzipSync([header, ...lines].join("\n")));
  write("toy.data.json.gz", gzipSync('{"N": 3}'));
  expect(readData(path(""), "toy-model")).toEqual({ N: 3 });
  const reference = readReference(path(""), "toy-model");
  const draws = {
    beta: Float64Array.from({ length: 202 }, (_, k) => (k % 2 === 0 ? k / 2 : -(k - 1) / 2)),
    sigma: Float64Array.from({ length: 101 }, (_, i) => 2 * i),
  };
  expect(errorsOf(parameters, draws, reference)).toEqual({ mean: 0, sd: 0, quantile: 0 });
  const sd = reference.get("sigma")!.sd;
  const moved = { ...draws, sigma: draws.sigma.map((x) => x + 0.3 * sd) };
  expect(errorsOf(parameters, moved, reference).mean).toBeCloseTo(0.3, 10);
  const wider = { ...draws, sigma: draws.sigma.map((x) => 100 + 1.2 * (x - 100)) };
  expect(errorsOf(parameters, wider, reference).sd).toBeCloseTo(0.2, 10);
});
