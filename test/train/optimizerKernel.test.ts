import { expect, it } from "vitest";
import { compileKernel } from "../../scripts/compileKernel.ts";
import { optimizerKernel } from "../../src/train/optimizerKernel.ts";

it("is what its source compiles to", async () => {
  const code = await compileKernel("kernels/optimizer.ts");
  expect(optimizerKernel).toBe(Buffer.from(code).toString("base64"));
});
