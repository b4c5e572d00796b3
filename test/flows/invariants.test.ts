import { describe, expect, test } from "vitest";
import { compileFloat32Checks, compileFloat64Checks } from "../../src/bijections/bijectionGraphs.ts";
import { parameterNames } from "../../src/flows/exportFlow.ts";
import type { Flow } from "../../src/flows/index.ts";
import { exportOnnx, type Precision } from "../../src/onnx/export.ts";
import { compile } from "../../src/runtime/compile.ts";
import { buildFlow } from "../../src/tables/model/index.ts";
import {
  allFinite,
  copyParameters,
  expectLogDeterminants,
  expectRoundTrips,
  rowsFor,
} from "../bijections/invariants.ts";
import { perturb } from "../nn/perturb.ts";
import { flowCases } from "./cases.ts";

const layers = { transforms: 2 };
// Graphs of some flows with five features take long to compile: these have three, which is an odd number too.
const LARGE = /^nsf, autoregressive|separate|in closed form/;
// test/flows/density.test.ts integrates those of two features.
const cases = [
  ...flowCases([1], layers),
  ...flowCases([3], layers).filter(({ name }) => LARGE.test(name)),
  ...flowCases([5], layers).filter(({ name }) => !LARGE.test(name)),
];

describe.each(cases)("$name", (example) => {
  const flow = example.build();
  const float64 = compileFloat64Checks(flow.bijection);
  const float32 = compileFloat32Checks(flow.bijection).run;
  const rows = rowsFor(flow);

  // For symmetric data, the identity is a saddle point of NICE.
  const isIdentity = !example.name.startsWith("nice");
  test(isIdentity ? "starts as the identity" : "starts invertible, but not as the identity", async () => {
    const out = await float64.run(rows);
    expectRoundTrips(out, rows, 1e-9);
    expectRoundTrips(await float32(rows), rows, 1e-4);
    const moved = Math.max(...out.data.map((x, i) => Math.abs(x - rows.z[i])));
    const movedBack = Math.max(...out.latent.map((z, i) => Math.abs(z - rows.x[i])));
    if (isIdentity) expect(Math.max(moved, movedBack)).toBeLessThan(1e-6);
    else expect(Math.min(moved, movedBack)).toBeGreaterThan(0.01);
  });

  test("is invertible after training, with the log-determinants of its Jacobians", async () => {
    perturb(flow.parameters(), 0.25);
    const out = await float64.run(rows);
    expectRoundTrips(out, rows, 1e-9);
    expectRoundTrips(await float32(rows), rows, 1e-3);
    const jacobians = await float64.jacobians(rows);
    expectLogDeterminants(jacobians.forward, out.forwardLogDet, example.features);
    expectLogDeterminants(jacobians.inverse, out.inverseLogDet, example.features);
  });

  test("has a finite gradient for every parameter", async () => {
    for (const [name, gradients] of await float64.parameterGradients(rows)) {
      // For a single feature, only the biases of a network and the diagonal of a matrix have an effect.
      const unusedIfSingle = example.context > 0 ? /lower$|upper$/ : /weight$|lower$|upper$/;
      const used = example.features > 1 || !unusedIfSingle.test(name);
      for (const gradient of gradients) {
        expect(allFinite(gradient), name).toBe(true);
        expect(Array.from(gradient).some(Boolean), name).toBe(used);
      }
    }
  });

  test("is determined by its description and its parameters, for any seed of the rebuild", () => {
    const rebuilt = buildFlow(JSON.parse(JSON.stringify(flow.describe())), { seed: 99 });
    expect(rebuilt.describe()).toEqual(flow.describe());
    copyParameters(
      { base: flow.base, bijection: flow.bijection },
      { base: rebuilt.base, bijection: rebuilt.bijection },
    );
    for (const precision of ["float32", "float64"] as const)
      expect(Buffer.compare(logProbFile(rebuilt, precision), logProbFile(flow, precision))).toBe(0);
  });
});

/**
 * The log-density as an ONNX file with its parameters. Flows with equal files have equal log-densities of all rows, and the files need no
 * sessions. The parameters of a recipe and of its description have different orders, so they are sorted by their names.
 */
function logProbFile(flow: Flow, precision: Precision): Uint8Array {
  const shapes = [["N", flow.features] as const, ...(flow.context > 0 ? [["N", flow.context] as const] : [])];
  const options = { precision, parameterNames: parameterNames(flow) };
  const { graph } = compile((x, context) => flow.logProb(x, context), shapes, options);
  const parameters = graph.parameters.toSorted((a, b) => (a.name < b.name ? -1 : 1));
  return exportOnnx({ ...graph, parameters }, { precision, embedParameters: true });
}
