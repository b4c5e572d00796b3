import { expect, test } from "vitest";
import { fitPosterior, positive, prior, simulate, simulator } from "../../../src/inference/index.ts";
import { mean } from "../../../src/numerics/mean.ts";
import { measurements } from "./conjugate.ts";

test("simulations depend on the seed and their number only", async () => {
  const first = await simulate(measurements(1), 20, { seed: 3 });
  const again = await simulate(measurements(1), 10, { seed: 3 });
  expect(first.data.subarray(0, 20)).toEqual(again.data);
  expect((await simulate(measurements(1), 10, { seed: 4 })).data).not.toEqual(again.data);
});

test("a simulator reads numbers and vectors, and may be asynchronous", async () => {
  const both = simulator(
    {
      low: prior.uniform(2, 3),
      theta: prior.multivariateNormal(
        [0, 10],
        [
          [1, 0],
          [1, 1],
        ],
      ),
    },
    async ({ low, theta: [a, b] }) => [low, a!, b!],
  );
  const { count, width, data, coordinates } = await simulate(both, 4000);
  expect([count, width, coordinates.length]).toEqual([4000, 3, 12_000]);
  const [low, a, b] = [0, 1, 2].map((k) => data.filter((_, i) => i % 3 === k));
  expect(mean(low!)).toBeCloseTo(2.5, 1);
  // The covariance of the factor is [[1, 1], [1, 2]].
  expect(Math.abs(mean(b!) - 10)).toBeLessThan(0.1);
  expect(Math.abs(mean(a!.map((x, i) => x * (b![i]! - 10))) - 1)).toBeLessThan(0.1);
  expect(Math.abs(mean(b!.map((x) => (x - 10) ** 2)) - 2)).toBeLessThan(0.2);
});

test("a simulator may return the same array each time", async () => {
  const buffer = new Float64Array(1);
  const reusing = simulator({ mu: prior.normal(0, 1) }, ({ mu }) => {
    buffer[0] = mu;
    return buffer;
  });
  const { coordinates, data } = await simulate(reusing, 5);
  expect(data).toEqual(coordinates);
});

test("simulations with NaN are left out and counted", async () => {
  const failing = simulator({ mu: prior.normal(0, 1) }, ({ mu }) => [Math.sqrt(mu)]);
  const { count, invalid, data, coordinates } = await simulate(failing, 100);
  expect(count + invalid).toBe(100);
  expect(invalid).toBeGreaterThan(30);
  expect(data).toEqual(coordinates.map(Math.sqrt));
});

test("errors of a simulator say for which parameters it failed", async () => {
  const throwing = simulator({ mu: prior.uniform(1, 2) }, ({ mu }) => {
    if (mu > 1.5) throw new Error("too large.");
    return [mu];
  });
  await expect(simulate(throwing, 100)).rejects.toThrowErrorMatchingInlineSnapshot(
    `
    [PushforwardError: the simulator failed for mu = 1.945: too large.
    Correct the program, or return NaN where no data can be simulated: such simulations are left out.]
  `,
  );
  const growing = simulator({ mu: prior.normal(0, 1) }, ({ mu }) => (mu > 1 ? [1, 2] : [1]));
  await expect(simulate(growing, 100)).rejects.toThrowErrorMatchingInlineSnapshot(
    `
    [PushforwardError: the simulator did not return an array of the same length each time: expected 2 numbers, as in another simulation, received 1 numbers.
    Return an array, also for a single number, with NaN in place of numbers that are missing.]
  `,
  );
  const empty = simulator({ mu: prior.normal(0, 1) }, () => undefined as unknown as number[]);
  await expect(simulate(empty, 100)).rejects.toThrowErrorMatchingInlineSnapshot(
    `
    [PushforwardError: the simulator did not return an array of the same length each time: expected an array of numbers, received nothing.
    Return an array, also for a single number, with NaN in place of numbers that are missing.]
  `,
  );
  const none = simulator({ mu: prior.normal(0, 1) }, () => null as unknown as number[]);
  await expect(simulate(none, 100)).rejects.toThrow("expected an array of numbers, received null");
  const never = simulator({ mu: prior.normal(0, 1) }, () => [Number.NaN]);
  await expect(simulate(never, 100)).rejects.toThrowErrorMatchingInlineSnapshot(`
    [PushforwardError: none of 100 simulations returned finite values.
    Look at the values that the simulator returns for some parameters.]
  `);
  await expect(simulate(never, 1.5)).rejects.toThrowErrorMatchingInlineSnapshot(
    `[PushforwardError: the number of simulations is not valid: expected a positive integer, received 1.5.]`,
  );
  await expect(simulate(never, 10, { seeds: 1 } as never)).rejects.toThrowErrorMatchingInlineSnapshot(
    `[PushforwardError: unknown option of simulate: expected one of seed, signal, received seeds (did you mean seed?).]`,
  );
  await expect(
    fitPosterior(never, { simulations: "100" as never }),
  ).rejects.toThrowErrorMatchingInlineSnapshot(
    `[PushforwardError: the option simulations of fitPosterior has an invalid value: expected a number of simulations, or a result of simulate, received "100".]`,
  );
});

test("a parameter without a prior is an error", () => {
  // @ts-expect-error A constraint is not a prior.
  expect(() => simulator({ mu: positive() }, () => [1])).toThrowErrorMatchingInlineSnapshot(
    `[PushforwardError: parameter mu of the simulator has no prior: expected prior.uniform(0, 1), vector(2, prior.normal(0, 1)) or the like, received a constraint.]`,
  );
});
