import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build, createLogger, type InlineConfig, preview } from "vite";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { findChromium, launchChromium } from "./chromium.ts";
import { type Trained, trainSmallFlow } from "./smallFlow.ts";

const here = fileURLToPath(new URL(".", import.meta.url));
const source = fileURLToPath(new URL("../../src", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "pushforward-page-"));
const chromium = findChromium();
const skipped =
  "there is no Chromium on this machine: install it, or give its path in the environment variable CHROMIUM";
// Only some of vitest's reporters show why a test was skipped.
if (!chromium) console.warn(`Training in a page is not tested: ${skipped}.`);

afterAll(() => rmSync(folder, { recursive: true }));

/** Bundles with Vite as it comes; gives what it warned of, and the imports that are left in the bundle. */
async function bundle(config: InlineConfig["build"]): Promise<{ warnings: string[]; imports: string[] }> {
  const warnings: string[] = [];
  const customLogger = createLogger("warn");
  // How long the bundler took says nothing of the bundle.
  customLogger.warn = (message) => {
    if (!message.includes("PLUGIN_TIMINGS")) warnings.push(message);
  };
  customLogger.warnOnce = customLogger.warn;
  // As users build; under vitest's "test" Vite would make a bundle for development and not warn.
  vi.stubEnv("NODE_ENV", "production");
  const result = await build({
    configFile: false,
    root: here,
    logLevel: "warn",
    customLogger,
    build: { reportCompressedSize: false, ...config },
  });
  vi.unstubAllEnvs();
  if (!("output" in result)) throw new Error("Vite made more than one bundle");
  const names = new Set(result.output.map(({ fileName }) => fileName));
  const imports = result.output.flatMap((file) =>
    file.type === "chunk" ? [...file.imports, ...file.dynamicImports] : [],
  );
  return { warnings, imports: imports.filter((name) => !names.has(name)) };
}

const CLEAN = { warnings: [], imports: [] };

test("every module but those of data, files, report and cli bundles for a browser and needs nothing of Node", async () => {
  const inNode = /^(data|files|report|cli)[/\\]/;
  const files = readdirSync(source, { recursive: true, encoding: "utf8" });
  const input = files
    .filter((file) => file.endsWith(".ts") && !inNode.test(file))
    .map((file) => join(source, file));
  expect(await bundle({ write: false, rolldownOptions: { input } })).toEqual(CLEAN);
});

test("a module that needs Node does not pass for one that doesn't", async () => {
  const { warnings } = await bundle({
    write: false,
    rolldownOptions: { input: join(source, "files/atomicFile.ts") },
  });
  expect(warnings).toContainEqual(expect.stringContaining('Module "node:fs/promises" has been externalized'));
});

describe("a page that trains a flow", () => {
  let inNode: Trained;

  beforeAll(async () => {
    expect(await bundle({ outDir: folder, emptyOutDir: true })).toEqual(CLEAN);
    inNode = await trainSmallFlow();
  });

  test("Node: training brings the density to the data", () => {
    expect(inNode.epochs.at(-1)!.trainLogDensity).toBeGreaterThan(inNode.epochs[0].trainLogDensity + 0.3);
  });

  test("gives the numbers of Node", async (context) => {
    if (!chromium) return context.skip(skipped);
    compare(await trainInPage(chromium, {}), inNode);
  });

  // Threads share memory, which browsers give only to isolated pages.
  test("gives the numbers of Node on two threads, isolated", async (context) => {
    if (!chromium) return context.skip(skipped);
    const isolated = {
      "Cross-Origin-Opener-Policy": "same-origin",
      "Cross-Origin-Embedder-Policy": "require-corp",
    };
    compare(await trainInPage(chromium, isolated, 2), inNode);
  });
});

async function trainInPage(path: string, headers: Record<string, string>, threads = 1): Promise<Trained> {
  const server = await preview({
    configFile: false,
    root: here,
    logLevel: "error",
    build: { outDir: folder },
    preview: { host: "127.0.0.1", port: 0, headers },
  });
  const browser = await launchChromium(path);
  try {
    const page = await browser.newPage();
    const problems: string[] = [];
    const engines = new Set<string>();
    page.on("console", (message) => problems.push(message.text()));
    page.on("pageerror", (error) => problems.push(`${error}`));
    page.on("request", (request) => {
      if (request.url().endsWith(".wasm")) engines.add(request.url());
    });
    await page.goto(server.resolvedUrls!.local[0]);
    expect(await page.evaluate("crossOriginIsolated")).toBe(threads > 1);
    const trained = await page.evaluate((threads) => window.train({ threads }), threads);
    expect(problems).toEqual([]);
    expect(page.workers()).toHaveLength(threads - 1);
    // The engine without WebGPU alone: 14 MB instead of 41.
    expect([...engines]).toEqual([expect.stringMatching(/ort-wasm-simd-threaded-[^.]+\.wasm$/)]);
    return trained;
  } finally {
    await browser.close();
    await server.close();
  }
}

/**
 * Both engines compute in float32 and add in different orders, so single results differ by some units of 2^-24. Adam divides
 * by the gradient's size, which turns such a difference into a whole step where a gradient is nearly 0; after 45 steps
 * differences of 5e-6 were seen.
 */
function compare(page: Trained, node: Trained): void {
  expectClose(page.start64, node.start64, 1e-14);
  expectClose(page.start, node.start, 1e-6);
  expect(page.epochs).toHaveLength(node.epochs.length);
  for (const [i, { epoch, stepSize, trainLogDensity, validationLogDensity }] of page.epochs.entries()) {
    const expected = node.epochs[i];
    expect({ epoch, stepSize }).toEqual({ epoch: expected.epoch, stepSize: expected.stepSize });
    const densities = [expected.trainLogDensity, expected.validationLogDensity];
    expectClose([trainLogDensity, validationLogDensity], densities, i === 0 ? 1e-5 : 1e-4);
  }
  expectClose(page.logDensities, node.logDensities, 1e-4);
  expectClose(page.samples, node.samples, 1e-4);
  expectClose(page.looped, node.looped, 1e-4);
}

/** Equal up to `tolerance`, relative to numbers beyond 1 and absolute below. */
function expectClose(actual: readonly number[], expected: readonly number[], tolerance: number): void {
  expect(actual).toHaveLength(expected.length);
  const errors = actual.map((value, i) => Math.abs(value - expected[i]) / Math.max(1, Math.abs(expected[i])));
  expect(Math.max(...errors)).toBeLessThanOrEqual(tolerance);
}
