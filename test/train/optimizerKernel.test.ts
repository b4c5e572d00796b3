import { expect, it } from "vitest";
import { compileKernel } from "../../scripts/compileKernel.ts";
import { optimizerKernel } from "../../src/train/optimizerKernel.ts";

it.each(["alone", "shared"] as const)("is what its source compiles to, for a memory %s", async (kind) => {
  const code = await compileKernel("kernels/optimizer.ts", { shared: kind === "shared" });
  expect(optimizerKernel[kind]).toBe(Buffer.from(code).toString("base64"));
});
