import { expect, it } from "vitest";
import { compileKernel } from "../../scripts/compileKernel.ts";
import { optimizerKernel } from "../../src/train/optimizerKernel.ts";

it.each([
  ["unsharedMemory", false],
  ["sharedMemory", true],
] as const)("the WebAssembly %s is compiled from kernels/optimizer.ts", async (name, shared) => {
  const code = await compileKernel("kernels/optimizer.ts", { shared });
  expect(optimizerKernel[name]).toBe(Buffer.from(code).toString("base64"));
});
