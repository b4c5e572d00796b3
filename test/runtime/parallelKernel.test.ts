import { expect, it } from "vitest";
import { compileKernel } from "../../scripts/compileKernel.ts";
import { ParallelKernel } from "../../src/runtime/parallelKernel.ts";

it.each([1, 3])("a kernel computes on %i threads over one memory", async (threads) => {
  const shared = threads > 1;
  const code = new Uint8Array(await compileKernel("kernels/optimizer.ts", { shared }));
  const memory = new WebAssembly.Memory({ initial: 1, ...(shared && { maximum: 1, shared }) });
  const numbers = (offset: number) => new Float32Array(memory.buffer, offset, 4 * threads);
  const kernel = await ParallelKernel.create(code, memory, threads);
  expect(kernel.threadCount).toBe(threads);
  const double = (to: number, from: number, thread: number) =>
    ["sum", to + 16 * thread, from + 16 * thread, 0, 2, 4, 3072 + 8 * thread] as const;
  for (const run of [1, 2]) {
    const values = Array.from({ length: 4 * threads }, (_, i) => i + run);
    numbers(0).set(values);
    const calls = (thread: number) => [double(1024, 0, thread), double(2048, 1024, thread)];
    await kernel.run(Array.from({ length: threads }, (_, thread) => calls(thread)));
    expect([...numbers(2048)]).toEqual(values.map((value) => 4 * value));
  }
});
