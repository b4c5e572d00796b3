import { expect, test } from "vitest";
import { fitLikelihood, prior, simulator } from "../../../src/inference/index.ts";
import { compile } from "../../../src/runtime/compile.ts";
import { exactPosterior } from "./conjugate.ts";

const SD = 0.5;
const oneMeasurement = simulator({ mu: prior.normal(0, 1) }, ({ mu }, random) => [mu + SD * random.normal()]);

test("the model of several observations has the exact posterior of a normal mean", async () => {
  const likelihood = await fitLikelihood(oneMeasurement, {
    simulations: 2000,
    members: 1,
    fit: { epochs: 5 },
    threads: 1,
  });
  const observed = [0.3, 0.9, 0.5];
  const { logDensity } = likelihood.model(observed.map((x) => [x]));
  const { mean, sd } = exactPosterior(SD, observed);
  const mu = [-2, -1, 0, 1, 2].map((z) => mean + z * sd);
  const evaluate = compile(logDensity, { u: ["N", 1] }, { precision: "float64" });
  const values = (await evaluate(Float64Array.from(mu))) as Float64Array;
  await evaluate.release();
  // Up to a constant it is -z^2 / 2.
  [-2, -0.5, 0, -0.5, -2].forEach((exact, i) => {
    expect(Math.abs(values[i]! - values[2]! - exact)).toBeLessThan(0.25);
  });
  expect(() => likelihood.model([[1, 2]])).toThrowErrorMatchingInlineSnapshot(
    `[PushforwardError: the observation has a different number of values from a simulation: expected 1, received 2.]`,
  );
});

test("a likelihood cannot be fitted to simulations that failed", async () => {
  const failing = simulator({ mu: prior.normal(0, 1) }, ({ mu }) => [Math.log(mu)]);
  await expect(fitLikelihood(failing, { simulations: 20 })).rejects.toThrowErrorMatchingInlineSnapshot(`
    [PushforwardError: a likelihood cannot be fitted to simulations that failed: expected finite values in all simulations, received 11 of 20 simulations with NaN or infinite values.
    Use fitPosterior, or return finite values for such simulations.]
  `);
});
