import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { beforeAll, describe, expect, test } from "vitest";
import { roomOf, sourceFiles } from "../../scripts/layers.ts";
import { expectClose } from "../bijections/invariants.ts";
import { temporaryDirectory } from "../data/temporaryFiles.ts";
import { CHROMIUM_IS_MISSING, findChromium } from "./chromium.ts";
import { bundle, visit } from "./site.ts";
import { type Trained, trainSmallFlow } from "./smallFlow.ts";

const source = fileURLToPath(new URL("../../src", import.meta.url));
const folder = temporaryDirectory().path("");
const chromium = findChromium();
// Only some reporters of Vitest show why a test was skipped.
if (!chromium) console.warn(`Training in a page is not tested: ${CHROMIUM_IS_MISSING}.`);

test("the rooms for browsers, and the entry points that consist of them, bundle without modules of Node", async () => {
  const entryPointsOfNode = ["data", "files", "images", "mpi", "report"].map((name) => `public/${name}.ts`);
  const input = sourceFiles()
    .filter((file) => !roomOf(file)?.node && !entryPointsOfNode.includes(file))
    .map((file) => join(source, file));
  const { warnings, imports } = await bundle("training", { write: false, rolldownOptions: { input } });
  expect({ warnings, imports }).toEqual({ warnings: [], imports: [] });
});

test("a module that needs Node is a warning", async () => {
  const input = join(source, "files/atomicFile.ts");
  const { warnings } = await bundle("training", { write: false, rolldownOptions: { input } });
  expect(warnings).toContainEqual(expect.stringContaining('Module "node:fs/promises" has been externalized'));
});

describe("a page that trains a flow", () => {
  let inNode: Trained;

  beforeAll(async () => {
    const { warnings, imports } = await bundle("training", { outDir: folder, emptyOutDir: true });
    expect({ warnings, imports }).toEqual({ warnings: [], imports: [] });
    inNode = await trainSmallFlow();
  });

  test("in Node, training increases the log-density", () => {
    expect(inNode.epochs.at(-1)!.trainLogDensity).toBeGreaterThan(inNode.epochs[0].trainLogDensity + 0.3);
  });

  test("has the numbers of Node", async (context) => {
    if (!chromium) return context.skip(CHROMIUM_IS_MISSING);
    compare(await trainInPage(chromium, {}), inNode);
  });

  // Threads need shared memory, which browsers give only to isolated pages.
  test("has the numbers of Node on two threads, with cross-origin isolation", async (context) => {
    if (!chromium) return context.skip(CHROMIUM_IS_MISSING);
    const isolation = {
      "Cross-Origin-Opener-Policy": "same-origin",
      "Cross-Origin-Embedder-Policy": "require-corp",
    };
    compare(await trainInPage(chromium, isolation, 2), inNode);
  });
});

async function trainInPage(path: string, headers: Record<string, string>, threads = 1): Promise<Trained> {
  const train = (threads: number) => window.train({ threads });
  const { result, problems, requests, isolated, workers } = await visit(
    path,
    folder,
    train,
    threads,
    headers,
  );
  expect(problems).toEqual([]);
  expect(isolated).toBe(threads > 1);
  expect(workers).toBe(threads - 1);
  // Only the build without WebGPU, which has half the size.
  const wasm = new Set(requests.filter((request) => request.endsWith(".wasm")));
  expect([...wasm]).toEqual([expect.stringMatching(/ort-wasm-simd-threaded-[^.]+\.wasm$/)]);
  return result;
}

/**
 * Both builds of ONNX Runtime compute in float32 and sum in different orders, so single results differ by a few units of 2^-24.
 * Adam divides by the size of the gradient, so where a gradient is nearly 0 such a difference becomes a whole step: the largest
 * difference after 45 steps was 5e-6.
 */
function compare(page: Trained, node: Trained): void {
  expectClose(page.start64, node.start64, 1e-14, "log-densities in float64 before training");
  expectClose(page.start, node.start, 1e-6, "log-densities before training");
  expect(page.epochs).toHaveLength(node.epochs.length);
  for (const [i, { epoch, learningRate, trainLogDensity, validationLogDensity }] of page.epochs.entries()) {
    const expected = node.epochs[i];
    expect({ epoch, learningRate }).toEqual({ epoch: expected.epoch, learningRate: expected.learningRate });
    const densities = [expected.trainLogDensity, expected.validationLogDensity];
    expectClose([trainLogDensity, validationLogDensity], densities, i === 0 ? 1e-5 : 1e-4, `epoch ${epoch}`);
  }
  expectClose(page.logDensities, node.logDensities, 1e-4, "log-densities");
  expectClose(page.samples, node.samples, 1e-4, "samples");
  expectClose(page.looped, node.looped, 1e-4, "looped");
}
