import { expect, it } from "vitest";
import { compileKernel } from "../../scripts/compileKernel.ts";
import { type KernelCall, ParallelKernel } from "../../src/runtime/parallelKernel.ts";
import { poolWorkers } from "../../src/runtime/workerTasks.ts";

const VALUES_PER_THREAD = 4;
const BYTES_PER_THREAD = 4 * VALUES_PER_THREAD;

// Byte offsets in the memory.
const INPUT = 0;
const DOUBLED = 1024;
const QUADRUPLED = 2048;
/** Where `sum` writes its second result, the sum of squares, which is not used here. */
const SQUARES = 3072;

/**
 * A call that doubles the values of one thread. The function `sum` of the optimizer, which the package runs on threads, adds arrays
 * that are `stride` bytes apart: with a stride of 0 and two arrays it adds an array to itself.
 */
function doubleValues(target: number, source: number, thread: number): KernelCall {
  const start = thread * BYTES_PER_THREAD;
  const stride = 0;
  const arrays = 2;
  const squares = SQUARES + thread * Float64Array.BYTES_PER_ELEMENT;
  return ["sum", target + start, source + start, stride, arrays, VALUES_PER_THREAD, squares];
}

it.each([1, 3])("a kernel computes on %i threads over one memory", async (threads) => {
  // Several threads need shared memory. One thread must work without it: a browser may not offer it.
  const shared = threads > 1;
  const code = new Uint8Array(await compileKernel("kernels/optimizer.ts", { shared }));
  const memory = new WebAssembly.Memory({ initial: 1, ...(shared && { maximum: 1, shared }) });
  const valuesAt = (offset: number) => new Float32Array(memory.buffer, offset, VALUES_PER_THREAD * threads);
  const workers = poolWorkers(threads - 1);
  const areIdle = () => workers.map(({ isIdle }) => isIdle);
  // A model of another test file that is still in memory may use them too.
  const wereIdle = areIdle();
  const kernel = await ParallelKernel.create(code, memory, threads);
  expect(kernel.threadCount).toBe(threads);
  // Two calls for each thread, the second with the result of the first, and two runs, since workers wait for another run.
  const calls = Array.from({ length: threads }, (_, thread) => [
    doubleValues(DOUBLED, INPUT, thread),
    doubleValues(QUADRUPLED, DOUBLED, thread),
  ]);
  for (const run of [1, 2]) {
    const values = Array.from({ length: VALUES_PER_THREAD * threads }, (_, i) => i + run);
    valuesAt(INPUT).set(values);
    await kernel.run(calls);
    expect([...valuesAt(QUADRUPLED)]).toEqual(values.map((value) => 4 * value));
  }
  expect(areIdle()).toEqual(workers.map(() => false));
  await kernel.release();
  expect(areIdle()).toEqual(wereIdle);
});
