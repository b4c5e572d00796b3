import { expect, it } from "vitest";
import { compileKernel } from "../../scripts/compileKernel.ts";
import { Kernel } from "../../src/runtime/kernel.ts";

it.each([1, 3])("a kernel works on parts of one memory on %i threads", async (threads) => {
  const shared = threads > 1;
  const code = new Uint8Array(await compileKernel("kernels/optimizer.ts", { shared }));
  const memory = new WebAssembly.Memory({ initial: 1, ...(shared && { maximum: 1, shared }) });
  const values = new Float32Array(memory.buffer, 0, 4 * threads).map((_, i) => i);
  new Float32Array(memory.buffer).set(values);
  const kernel = await Kernel.of(code, memory, threads);
  expect(kernel.size).toBe(threads);
  const at = (thread: number) => 16 * thread;
  const move = (thread: number, share: number) =>
    ["moveAverage", 1024 + at(thread), at(thread), 4, share] as const;
  for (let turn = 0; turn < 2; turn++)
    await kernel.run(Array.from({ length: threads }, (_, thread) => [move(thread, 0.5), move(thread, 0.5)]));
  const averages = new Float32Array(memory.buffer, 1024, 4 * threads);
  expect(averages).toEqual(values.map((value) => (15 / 16) * value));
});
