import { describe, expect, test } from "vitest";
import { ColumnScales } from "../../src/bijections/index.ts";
import { grad } from "../../src/graph/grad.ts";
import { parametersOf, trainableParameters } from "../../src/nn/module.ts";
import type { Description } from "../../src/parts/description.ts";
import { compile } from "../../src/runtime/compile.ts";
import { named } from "../examples.ts";
import { perturb } from "../nn/perturb.ts";
import { bijectionCases } from "./cases.ts";
import { hasBoundedDomain } from "./domain.ts";
import { extremeRows } from "./extremes.ts";
import { allFinite } from "./invariants.ts";

describe.each(["float32", "float64"] as const)("%s", (precision) => {
  test.each(named(bijectionCases([2])))("%s and its gradients are finite everywhere", async (_, example) => {
    const bijection = example.build();
    const { features, context } = bijection;
    const rows = extremeRows(features, precision);
    const count = rows.length / features;
    const contexts = context > 0 ? [new Float64Array(count * context).map((_, i) => Math.cos(i))] : [];
    const shapes = [["N", features] as const, ...(context > 0 ? [["N", context] as const] : [])];
    // The true gradient of x exp(a(x)) is of order x^2, which overflows float32 for |x| above 10^19.
    const limit = precision === "float32" && hasLearnedOuterSlope(example.description) ? 1e16 : 1e31;
    const moderate = rowsWhere(rows, features, (row) => row.every((v) => Math.abs(v) < limit));
    const differentiable = [
      moderate,
      ...contexts.map((c) => c.subarray(0, (moderate.length / features) * context)),
    ];
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
        const all = await run(rows, ...contexts);
        const [value, logDet] = all;
        expectFinite(value, rows, features, where);
        const defined = hasBoundedDomain(example)
          ? logDet.map((v) => (v === Number.NEGATIVE_INFINITY ? 0 : v))
          : logDet;
        expectFinite(defined, rows, features, `${where}, log-det`);
        const isSame = moderate.length === rows.length;
        const [, , byRow, ...byParameter] = isSame ? all : await run(...differentiable);
        expectFinite(byRow, differentiable[0], features, `${where}, gradient`);
        byParameter.forEach((gradient, i) => {
          expect(allFinite(gradient), `${where}, parameter ${i}`).toBe(true);
        });
      }
    }
  });
});

/** Fails with the first row that has a value which is not finite; each row has the same number of values. */
function expectFinite(values: ArrayLike<number>, rows: Float64Array, features: number, what: string): void {
  const index = Array.from(values).findIndex((v) => !Number.isFinite(v));
  if (index < 0) return;
  const row = Math.floor((index * (rows.length / features)) / values.length);
  expect.fail(`${what} of row ${rows.subarray(row * features, (row + 1) * features)} is ${values[index]}`);
}

/** Scalar transforms with a fixed slope at large |x|. */
const FIXED_OUTER_SLOPE = /^(additive|(circular|cubic|linear|quadratic|rationalQuadratic)Spline)$/;

/** Whether the slope of a scalar transform at large |x| is learned. The default transform is affine, whose slope is. */
function hasLearnedOuterSlope(description: object): boolean {
  const parts: Partial<Description>[] = [];
  JSON.stringify(description, (_, value) => {
    if (typeof value?.type === "string") parts.push(value);
    return value;
  });
  return parts.some(
    ({ type, transform = { type: "affine" } }) =>
      /^(coupling|realNVPCoupling|autoregressive|elementwise)$/.test(type!) &&
      !FIXED_OUTER_SLOPE.test((transform as Description).type),
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

test.each([
  // log |dx/dz| is z for x = low + exp(z), -z for x = high - exp(-z), and log sigmoid(z) + log sigmoid(-z) for x = sigmoid(z).
  [{ type: "log", low: 1000 }, -12, -12],
  [{ type: "reversedLog", high: -1000 }, 12, -12],
  // log sigmoid(z / 2) for x = low + 2 softplus(z / 2).
  [{ type: "inverseSoftplus", low: 1000, unit: 2 }, -24, -12 - Math.log1p(Math.exp(-12))],
  [{ type: "logit", low: 0, high: 1 }, 20, -20],
  [{ type: "logit", low: 1000, high: 1002 }, -30, Math.LN2 - 30],
] as const)(
  "samples of the scale %j next to a bound have their log-determinant in float32",
  async (scale, z, expected) => {
    const map = new ColumnScales({ scales: [scale] });
    const run = compile((z) => map.forward(z).logDet, [["N", 1]]);
    expect((await run([z]))[0]).toBeCloseTo(expected, 5);
    await run.release();
  },
);

test.each([
  { type: "log", low: 0 },
  { type: "inverseSoftplus", low: 0, unit: 1e-12 },
] as const)("samples of the scale %j are above the bound, also from extreme z", async (scale) => {
  const map = new ColumnScales({ scales: [scale] });
  const run = compile((z) => map.forward(z).value, [["N", 1]]);
  for (const x of await run([-1e30, -1e6, -1])) expect(x).toBeGreaterThan(0);
  await run.release();
});
