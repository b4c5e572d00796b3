import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { maf } from "../../src/flows/index.ts";
import { Random } from "../../src/random/index.ts";
import { fallbackWarning } from "../../src/runtime/devices.ts";
import { compile } from "../../src/runtime/index.ts";
import { expectClose } from "../bijections/invariants.ts";

const x = new Random(1).normal(new Float64Array(2000));

/** Several times the rounding of float32. */
const TOLERANCE = 2e-5;

describe("in Node, the provider wasm computes what onnxruntime-node computes", () => {
  test.each([1, 2])("densities and samples on %i threads", async (threads) => {
    await using flow = maf(2, { transforms: 2, hidden: [16], seed: 3 });
    const wasm = { providers: ["wasm"], threads };
    expectClose(
      await flow.logProb(x, undefined, wasm),
      await flow.logProb(x, undefined, { threads }),
      TOLERANCE,
      "log-density",
    );
    const seeded = { seed: 4, threads };
    expectClose(
      await flow.sample(500, { ...seeded, ...wasm }),
      await flow.sample(500, seeded),
      TOLERANCE,
      "sample",
    );
  });

  test("a compiled function, with threads inside its operations, in both precisions", async () => {
    for (const precision of ["float32", "float64"] as const) {
      await using compiled = compile(
        (x) => x.exp(),
        { x: ["N", 2] },
        {
          providers: ["wasm"],
          threads: 2,
          precision,
        },
      );
      expectClose(await compiled([0, 1]), [1, Math.E], TOLERANCE, "exp");
      const output = precision === "float64" ? new Float64Array(2) : new Float32Array(2);
      await compiled.into([output.map((_, i) => i)], { output });
      expectClose(output, [1, Math.E], TOLERANCE, "exp");
    }
  });
});

describe("the warning that WebAssembly computes in place of onnxruntime-node", () => {
  // test/package has a package without onnxruntime-node, in which this is printed.
  test("says how to install a missing onnxruntime-node", () => {
    const { optionalDependencies } = JSON.parse(readFileSync("package.json", "utf8"));
    const error = new Error("Cannot find package 'onnxruntime-node' imported from engine.js");
    expect(fallbackWarning(error)).toBe(
      `pushforward: onnxruntime-node is not installed, so pushforward uses WebAssembly, which is 2 to 3 times slower. To install it: npm install onnxruntime-node@${optionalDependencies["onnxruntime-node"]} --ignore-scripts`,
    );
  });

  test("says why onnxruntime-node cannot be loaded", () => {
    const error = new Error("Error loading shared library ld-linux-x86-64.so.2: No such file\nand more");
    expect(fallbackWarning(error)).toMatchInlineSnapshot(
      `"pushforward: onnxruntime-node cannot be loaded (Error loading shared library ld-linux-x86-64.so.2: No such file), so pushforward uses WebAssembly, which is 2 to 3 times slower."`,
    );
  });
});
