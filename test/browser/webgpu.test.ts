import { beforeAll, describe, expect, test } from "vitest";
import { temporaryDirectory } from "../data/temporaryFiles.ts";
import { CHROMIUM_IS_MISSING, findChromium, SOFTWARE_WEBGPU } from "./chromium.ts";
import { bundle, visit } from "./site.ts";
import { logProbInFloat64 } from "./webgpu/logProbInFloat64.ts";

const folder = temporaryDirectory().path("");
const chromium = findChromium();
// Only some reporters of Vitest show why a test was skipped.
if (!chromium) console.warn(`WebGPU is not tested: ${CHROMIUM_IS_MISSING}.`);

beforeAll(() => bundle("webgpu", { outDir: folder, emptyOutDir: true }));

describe("a page with the build of onnxruntime-web that has WebGPU", () => {
  test("trains on WebGPU with the losses of WebAssembly up to rounding, and computes in float64", async (context) => {
    if (!chromium) return context.skip(CHROMIUM_IS_MISSING);
    const train = async (providers: string[]) => {
      const losses: number[][] = [];
      for (const provider of providers) losses.push(await window.trainOn(provider));
      return { losses, logDensities: await window.logProbInFloat64() };
    };
    const { result } = await visit(chromium, folder, train, ["wasm", "webgpu"], {}, SOFTWARE_WEBGPU);
    const [wasm, webgpu] = result.losses;
    expect(wasm).toHaveLength(5);
    expect(wasm[4]).toBeLessThan(wasm[0] - 0.1);
    for (const [step, loss] of wasm.entries()) expect(Math.abs(webgpu[step] - loss)).toBeLessThan(2e-6);
    // The build with WebGPU has no float64: the other build computes this.
    const expected = await logProbInFloat64();
    for (const [row, logDensity] of expected.entries())
      expect(Math.abs(result.logDensities[row] - logDensity)).toBeLessThan(1e-12);
  });

  test("does not compute on the CPU if there is no WebGPU", async (context) => {
    if (!chromium) return context.skip(CHROMIUM_IS_MISSING);
    const train = () => window.trainOn("webgpu").catch((error: Error) => error.message);
    const { result } = await visit(chromium, folder, train, undefined);
    expect(result).toMatchInlineSnapshot(`
      "the execution provider webgpu does not work: there is no WebGPU adapter.
      It needs a browser with WebGPU, and a GPU that the browser supports. Omit the provider to compute on the CPU."
    `);
  });
});
