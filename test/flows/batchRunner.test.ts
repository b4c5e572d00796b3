import { afterAll, expect, test } from "vitest";
import { arrayInput, BatchRunner } from "../../src/flows/batchRunner.ts";
import { Parameter } from "../../src/graph/parameter.ts";
import type { Tensor } from "../../src/graph/tensor.ts";
import { poolWorkers } from "../../src/runtime/workerTasks.ts";

const slope = new Parameter([2], [1, 2]);
const runner = new BatchRunner(() => new Map([["slope", slope]]));
afterAll(() => runner.release());

/** How often the function was traced. */
let traces = 0;
/** slope x + shift, where the shift is that of all rows. */
const build = (x: Tensor, shift: Tensor) => {
  traces++;
  return { y: x.mul(slope).add(shift) };
};

async function run(rows: number, shift: readonly number[]): Promise<Float64Array> {
  const values = Float64Array.from({ length: 2 * rows }, (_, i) => i);
  const inputs = [arrayInput({ values, features: 2 }), { size: 2, shared: shift }];
  const { y } = await runner.run("line", build, inputs, rows, { threads: 2 });
  return y;
}

const expected = (rows: number, [a, b]: readonly number[], [c, d]: readonly number[]) =>
  Float64Array.from({ length: 2 * rows }, (_, i) => (i % 2 === 0 ? a * i + c : b * i + d));

test("calls of any number of rows share what one call of many rows has compiled", async () => {
  expect(await run(3, [1, -1])).toEqual(expected(3, [1, 2], [1, -1]));
  expect(await run(1000, [5, 6])).toEqual(expected(1000, [1, 2], [5, 6]));
  // The first call was compiled for one thread, the second one for two.
  expect(traces).toBe(2);
  for (const rows of [1, 7, 256, 3000])
    expect(await run(rows, [0, 9])).toEqual(expected(rows, [1, 2], [0, 9]));
  expect(traces).toBe(2);
});

test("a changed parameter is used by the next call", async () => {
  slope.value[1] = 3;
  expect(await run(4, [0, 0])).toEqual(expected(4, [1, 3], [0, 0]));
  slope.value = Float32Array.of(4, 3);
  expect(await run(400, [0, 0])).toEqual(expected(400, [4, 3], [0, 0]));
});

test("after a thread has ended, one call fails, and the next one compiles again", async () => {
  expect(await run(600, [1, 1])).toEqual(expected(600, [4, 3], [1, 1]));
  const [worker] = await poolWorkers(1);
  await (worker as unknown as { worker: { terminate(): Promise<number> } }).worker.terminate();
  await expect(run(600, [1, 1])).rejects.toThrow("the thread ended");
  expect(await run(600, [1, 1])).toEqual(expected(600, [4, 3], [1, 1]));
});
