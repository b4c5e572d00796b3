import { describe, expect, test } from "vitest";
import type { Flow } from "../../src/flows/index.ts";
import { grad } from "../../src/graph/grad.ts";
import { trainableParameters } from "../../src/nn/module.ts";
import type { Precision } from "../../src/onnx/export.ts";
import { compile } from "../../src/runtime/compile.ts";
import { forTables } from "../../src/tables/fit/index.ts";
import { extremeRows } from "../bijections/extremes.ts";
import { allFinite } from "../bijections/invariants.ts";
import { flowCases } from "./cases.ts";

/** Log-densities of extreme rows, and gradients of their mean with respect to rows and parameters. */
async function atExtremes(flow: Flow, precision: Precision) {
  const rows = extremeRows(flow.features, precision);
  const count = rows.length / flow.features;
  const context = flow.context > 0 ? [new Float64Array(count * flow.context).map((_, i) => Math.cos(i))] : [];
  const parameters = [...trainableParameters({ base: flow.base, bijection: flow.bijection }).values()];
  const run = compile(
    (x, c) => {
      const density = flow.logProb(x, c);
      return [density, ...grad(density.mean(), [x, ...parameters])];
    },
    [["N", flow.features], ...(flow.context > 0 ? [["N", flow.context] as const] : [])],
    { precision },
  );
  const [density, ...gradients] = await run(rows, ...context);
  return { rows, density, gradients };
}

describe.each(["float32", "float64"] as const)("%s", (precision) => {
  test.each(flowCases([2], { transforms: 2 }))(
    "$name is finite everywhere, and so are its gradients",
    async (example) => {
      const { rows, density, gradients } = await atExtremes(example.trained(), precision);
      density.forEach((value, r) => {
        const row = [...rows.subarray(2 * r, 2 * r + 2)];
        expect(Number.isFinite(value), `${value} at ${row}`).toBe(true);
        if (row.some((x) => Math.abs(x) === 1e30)) expect(value, `${row}`).toBeLessThan(-1e19);
      });
      for (const gradient of gradients) expect(allFinite(gradient)).toBe(true);
    },
  );

  test.each(flowCases([2], { transforms: 2 }))(
    "$name behind Tails gives 1e30 a density of a sane size",
    async (example) => {
      const { rows, density, gradients } = await atExtremes(forTables(example.trained()), precision);
      density.forEach((value, r) => {
        const row = [...rows.subarray(2 * r, 2 * r + 2)];
        expect(Number.isFinite(value), `${value} at ${row}`).toBe(true);
        if (row.some((x) => Math.abs(x) === 1e30)) expect(value, `${row}`).toBeLessThan(-100);
        expect(value, `${row}`).toBeGreaterThan(-1e6);
      });
      for (const gradient of gradients) expect(allFinite(gradient)).toBe(true);
    },
  );
});
