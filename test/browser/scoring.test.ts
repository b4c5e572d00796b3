import { gzipSync } from "node:zlib";
import { beforeAll, describe, expect, test } from "vitest";
import { naf, nsf } from "../../src/flows/index.ts";
import { realColumn } from "../../src/tables/columns/realColumn.ts";
import { encodeModel } from "../../src/tables/model/index.ts";
import { temporaryDirectory } from "../data/temporaryFiles.ts";
import { findChromium } from "./chromium.ts";
import { type Bundle, bundle, visit } from "./site.ts";

// size-limit does not measure this: its bundler makes one file of all dynamic imports, and counts the kinds that a page loads only
// when a model needs them.

/** The budget for the JavaScript that the page loads before a model, gzipped, onnxruntime-web aside. */
const MAX_BYTES = 60_000;

const folder = temporaryDirectory().path("");
const chromium = findChromium();
let page: Bundle;

beforeAll(async () => {
  page = await bundle("scoring", { outDir: folder, emptyOutDir: true });
});

const chunks = () => page.files.filter((file) => file.type === "chunk");

/** The chunks that the page loads at its start: the entry and what it imports statically. */
function initialChunks() {
  const byName = new Map(chunks().map((chunk) => [chunk.fileName, chunk]));
  const initial = new Set<string>();
  const add = (name: string) => {
    if (initial.has(name)) return;
    initial.add(name);
    byName.get(name)!.imports.forEach(add);
  };
  for (const { isEntry, fileName } of chunks()) if (isEntry) add(fileName);
  return [...initial].map((name) => byName.get(name)!);
}

describe("the bundle of a page that scores rows", () => {
  test(`has less than ${MAX_BYTES / 1000} kB of gzipped JavaScript, onnxruntime-web aside`, () => {
    const sizes = initialChunks().map(({ code }) => gzipSync(code, { level: 9 }).length);
    const total = sizes.reduce((a, b) => a + b, 0);
    console.log(`JavaScript of a page that scores: ${(total / 1000).toFixed(1)} kB gzipped`);
    expect(
      initialChunks()
        .flatMap(({ moduleIds }) => moduleIds)
        .join(),
    ).not.toContain("onnxruntime-web");
    expect(total).toBeLessThan(MAX_BYTES);
  });

  test("has the WebAssembly of the CPU, and not that of WebGPU", () => {
    const wasm = page.files.map(({ fileName }) => fileName).filter((name) => name.endsWith(".wasm"));
    expect(wasm).toEqual([expect.stringMatching(/ort-wasm-simd-threaded-[^.]+\.wasm$/)]);
  });
});

describe("in Chromium", () => {
  const rows = [0.3, -0.4, 1.5, 0.2];
  const isOnDemand = (path: string) => path.includes("/onDemand-");

  test.skipIf(!chromium).each([
    ["a spline flow, from the code that the page has", nsf, 0],
    ["a flow of a kind that few models have, whose code it loads", naf, 1],
    ["the flow of a table, without the code of other kinds", nsf, 0, ["a", "b"]],
  ] as const)("the page scores %s, with the numbers of Node", async (_, recipe, onDemand, names?) => {
    const flow = recipe(2, { transforms: 2, hidden: [8], seed: 1 });
    const table = names?.map(realColumn);
    const bytes = [...encodeModel({ flow, ...(table && { table, columns: names }) })];
    const act = ([bytes, rows]: readonly [number[], number[]]) => window.score(bytes, rows);
    const { result, problems, requests } = await visit(chromium!, folder, act, [bytes, rows] as const);
    expect(problems).toEqual([]);
    expect(requests.filter(isOnDemand)).toHaveLength(onDemand);
    const expected = await flow.logProb(rows);
    expect(result).toHaveLength(expected.length);
    result.forEach((value, i) => {
      expect(value).toBeCloseTo(expected[i], 4);
    });
  });
});
