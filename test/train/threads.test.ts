import { beforeAll, expect, it } from "vitest";
import { type Flow, maf } from "../../src/flows/index.ts";
import { Random } from "../../src/random/index.ts";
import { fit } from "../../src/train/index.ts";

const D = 3;
const rows = new Random(1).normal(new Float64Array(1000 * D)).map((z, i) => (i % D === 0 ? z * z : z));

/** The last batch has fewer rows than a shard of two threads. */
async function train(threads: number) {
  const flow = maf(D, { hidden: [32, 32], transforms: 3 });
  const { epochs } = await fit(flow, rows, { threads, epochs: 3, batchSize: 128 });
  return { flow, epochs, weights: [...flow.parameters().values()].flatMap(({ value }) => [...value]) };
}

let one: Awaited<ReturnType<typeof train>>;
let flow: Flow;
beforeAll(async () => {
  one = await train(1);
  flow = one.flow;
});

it("training is reproducible, and the same on one thread up to rounding", async () => {
  const [two, again] = [await train(2), await train(2)];
  expect(again.weights).toEqual(two.weights);
  expect(again.epochs).toEqual(two.epochs);
  one.epochs.forEach((epoch, i) => {
    expect(two.epochs[i].trainLogDensity).toBeCloseTo(epoch.trainLogDensity, 4);
    expect(two.epochs[i].validationLogDensity).toBeCloseTo(epoch.validationLogDensity, 4);
  });
});

it("results do not depend on the number of threads or the size of chunks", async () => {
  const many = new Random(2).normal(new Float64Array(2500 * D));
  const [single, two] = [
    await flow.logProb(many, undefined, { threads: 1 }),
    await flow.logProb(many, undefined, { threads: 2 }),
  ];
  const some = await flow.logProb(many.subarray(0, 21 * D));
  single.forEach((logProb, i) => {
    expect(Math.abs(two[i] - logProb)).toBeLessThan(1e-5 * (1 + Math.abs(logProb)));
    if (i < some.length) expect(Math.abs(some[i] - logProb)).toBeLessThan(1e-5 * (1 + Math.abs(logProb)));
  });
  const drawn = await flow.sample(2500, { threads: 2, seed: 4 });
  const first = await flow.sample(1500, { threads: 1, seed: 4 });
  first.forEach((x, i) => {
    expect(Math.abs(x - drawn[i])).toBeLessThan(1e-5 * (1 + Math.abs(x)));
  });
});

it("concurrent calls return the results for their own rows", async () => {
  const parts = [0, 1, 2].map((i) => rows.subarray(i * 20 * D, (i + 1) * 20 * D));
  const sequential = [];
  for (const part of parts) sequential.push(await flow.logProb(part));
  expect(await Promise.all(parts.map((part) => flow.logProb(part)))).toEqual(sequential);
  const [, failed, last] = await Promise.allSettled([
    flow.logProb(parts[0]),
    flow.logProb([1]),
    flow.logProb(parts[2]),
  ]);
  expect(failed.status).toBe("rejected");
  expect(last).toEqual({ status: "fulfilled", value: sequential[2] });
});

// The last test, because it changes the parameters.
it("an evaluation uses the parameters that training has changed", async () => {
  const before = await flow.logProb(rows.subarray(0, 30));
  await fit(flow, rows, { epochs: 2, threads: 1, optimizer: { learningRate: 0.01 } });
  const after = await flow.logProb(rows.subarray(0, 30));
  expect(after.some((value, i) => Math.abs(value - before[i]) > 1e-3)).toBe(true);
  for (const parameter of flow.parameters().values()) if (parameter.trainable) parameter.value.fill(0);
  // With all parameters 0, the density of the flow is that of its base.
  const gaussian = await flow.logProb(new Float64Array(D));
  expect(gaussian[0]).toBeCloseTo(-0.5 * D * Math.log(2 * Math.PI), 5);
});
