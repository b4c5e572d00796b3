import { describe, expect, test } from "vitest";
import { grad } from "../../src/graph/grad.ts";
import { parametersOf, trainableParameters } from "../../src/nn/module.ts";
import { compile } from "../../src/runtime/compile.ts";
import { perturb } from "../nn/perturb.ts";
import { bijectionCases } from "./cases.ts";
import { isBounded } from "./domain.ts";
import { extremeRows } from "./extremes.ts";
import { allFinite } from "./invariants.ts";

describe.each(["float32", "float64"] as const)("%s", (precision) => {
  test.each(bijectionCases([2]))("$name is finite everywhere, and so are its gradients", async (example) => {
    const bijection = example.build();
    const { features, context } = bijection;
    const rows = extremeRows(features, precision);
    const count = rows.length / features;
    const given = context > 0 ? [new Float64Array(count * context).map((_, i) => Math.cos(i))] : [];
    const shapes = [["N", features] as const, ...(context > 0 ? [["N", context] as const] : [])];
    // The true gradient of x exp(a(x)) is of order x^2: float32 ends at 10^38, so such rows end at 10^15.
    const limit = precision === "float32" && scalesFarOut(example.description) ? 1e16 : 1e31;
    const within = rowsWhere(rows, features, (row) => row.every((v) => Math.abs(v) < limit));
    const differentiable = [within, ...given.map((c) => c.subarray(0, (within.length / features) * context))];
    const tensors = [...trainableParameters(bijection).values()];
    for (const direction of ["inverse", "forward"] as const) {
      const run = compile(
        (u, c) => {
          const { value, logDet } = bijection[direction](u, c);
          const [byRow, ...byParameter] = grad(value.sum().add(logDet.broadcastTo(["N"]).sum()), [
            u,
            ...tensors,
          ]);
          return [value, logDet.broadcastTo(["N"]), byRow, ...byParameter];
        },
        shapes,
        { precision },
      );
      for (const train of [false, true]) {
        if (train && direction === "inverse") perturb(parametersOf(bijection));
        const where = `${direction}${train ? " after training" : ""}`;
        const [value, logDet] = await run(rows, ...given);
        expectFinite(value, rows, features, where);
        // Where the map is not defined.
        const defined = isBounded(example)
          ? logDet.map((v) => (v === Number.NEGATIVE_INFINITY ? 0 : v))
          : logDet;
        expectFinite(defined, rows, features, `${where}, log-det`);
        const [, , byRow, ...byParameter] = await run(...differentiable);
        expectFinite(byRow, differentiable[0], features, `${where}, gradient`);
        byParameter.forEach((gradient, i) => {
          expect(allFinite(gradient), `${where}, parameter ${i}`).toBe(true);
        });
      }
    }
  });
});

/** Names the first row where one of the numbers, as many for each row, is not finite. */
function expectFinite(values: ArrayLike<number>, rows: Float64Array, features: number, what: string): void {
  const bad = Array.from(values).findIndex((v) => !Number.isFinite(v));
  if (bad < 0) return;
  const row = Math.floor((bad * (rows.length / features)) / values.length);
  expect.fail(`${what} of row ${rows.subarray(row * features, (row + 1) * features)} is ${values[bad]}`);
}

/** Whether the slope far out is learned. Affine is also what couplings and autoregressive bijections do by default. */
function scalesFarOut(description: unknown): boolean {
  const text = JSON.stringify(description);
  return (
    /"(affine|bernstein|deepSigmoidal|monotonicNetwork|sumOfSquares)"/.test(text) ||
    (/"(coupling|realNVPCoupling|autoregressive)"/.test(text) && !text.includes('"transform"'))
  );
}

function rowsWhere(rows: Float64Array, width: number, keep: (row: Float64Array) => boolean): Float64Array {
  const kept: number[] = [];
  for (let start = 0; start < rows.length; start += width) {
    const row = rows.subarray(start, start + width);
    if (keep(row)) kept.push(...row);
  }
  return Float64Array.from(kept);
}
