import { describe, expect, test } from "vitest";
import { type Bijection, buildBijection, Continuous } from "../../src/bijections/index.ts";
import { parametersOf, trainableParameters } from "../../src/nn/module.ts";
import { Random } from "../../src/random/index.ts";
import { compile } from "../../src/runtime/compile.ts";
import { perturb } from "../nn/perturb.ts";
import { bijectionCases, type Case } from "./cases.ts";
import { rowsWithin } from "./domain.ts";
import {
  allFinite,
  copyParameters,
  everything,
  expectClose,
  expectLogDeterminants,
  expectRoundTrips,
  float32RoundTrips,
} from "./invariants.ts";
import { expectStructure } from "./structure.ts";

/** With one feature there is nothing beside the diagonal, and nothing to condition on. */
const UNUSED_ALONE = [/lower$/, /upper$/];

describe.each(bijectionCases([1, 2, 3, 5]))("$name", (example) => {
  const bijection = example.build();
  const float64 = everything(bijection);
  const float32 = float32RoundTrips(bijection);

  if (startsAsIdentity(example))
    test("starts as the identity", async () => {
      const rows = await rowsWithin(example, bijection, example.description.type === "tails" ? 0.05 : 1);
      const out = await float64.run(rows);
      expectClose(out.data, rows.z, 1e-6, "forward");
      expectClose(out.latent, rows.x, 1e-6, "inverse");
      for (const logDet of [...out.forwardLogDet, ...out.inverseLogDet]) {
        expect(Math.abs(logDet)).toBeLessThan(1e-6);
      }
    });

  test("comes back in both directions, at its start and after training", async () => {
    const rows = await rowsWithin(example, bijection);
    // What follows is about the trained one; float32 comes back from slopes near 1/1000 with few digits.
    for (const [scale, tolerance32] of [
      [0, 1e-4],
      [0.15, 1e-4],
      [0.3, 1e-2],
    ]) {
      perturb(parametersOf(bijection), scale);
      expectRoundTrips(await float64.run(rows), rows, 1e-9);
      expectRoundTrips(await float32(rows), rows, tolerance32);
    }
  });

  test("gives the log-determinants of its Jacobians, which have its structure", async () => {
    const rows = await rowsWithin(example, bijection);
    const { forwardLogDet, inverseLogDet } = await float64.run(rows);
    const jacobians = await float64.jacobians(rows);
    expectLogDeterminants(jacobians.forward, forwardLogDet, example.features);
    expectLogDeterminants(jacobians.inverse, inverseLogDet, example.features);
    expectStructure(example.description, jacobians);
    const differences = await float64.differences(rows);
    expectClose(jacobians.forward, differences.forward, 2e-4, "forward");
    expectClose(jacobians.inverse, differences.inverse, 2e-4, "inverse");
  });

  test("sends a gradient to every parameter", async () => {
    const rows = await rowsWithin(example, bijection);
    for (const [name, gradients] of await float64.parameterGradients(rows)) {
      const used = example.features > 1 || !isUnusedAlone(name, bijection);
      for (const gradient of gradients) {
        expect(allFinite(gradient), name).toBe(true);
        expect(Array.from(gradient).some(Boolean), name).toBe(used);
      }
    }
  });

  test("has the gradient of differences by its parameters", async () => {
    if (trainableParameters(bijection).size === 0) return;
    // Tails make numbers of far rows whose sine is noise.
    const rows = await rowsWithin(example, bijection, 0.3);
    const { gradients, differences } = await float64.alongDirection(rows);
    expectClose(gradients, differences, 1e-4, "density and sampling");
  });

  test("is all in its description and its parameters", async () => {
    const description = JSON.parse(JSON.stringify(bijection.describe()));
    const rebuilt = buildBijection(description, new Random(99));
    copyParameters(bijection, rebuilt);
    const rows = await rowsWithin(example, bijection);
    expect(rebuilt.describe()).toEqual(bijection.describe());
    expect(await float32RoundTrips(rebuilt)(rows)).toEqual(await float32(rows));
  });

  test("keeps a NaN in sight", async () => {
    const { features, context } = bijection;
    const shapes = [["N", features] as const, ...(context > 0 ? [["N", context] as const] : [])];
    const rows = [
      new Float32Array(features).fill(Number.NaN),
      ...(context > 0 ? [new Float32Array(context)] : []),
    ];
    const run = compile(
      (u, c) => ({ forward: bijection.forward(u, c).value, inverse: bijection.inverse(u, c).value }),
      shapes,
    );
    const { forward, inverse } = await run(...rows);
    expect([...forward, ...inverse].every(Number.isNaN)).toBe(true);
  });
});

/** All do but those that move features, those that bend the line, and those onto a part of it. */
function startsAsIdentity({ description, support }: Case): boolean {
  const text = JSON.stringify(description);
  return (
    support === undefined &&
    !text.includes('"permutation"') &&
    !(text.includes('"tails"') && description.type !== "tails")
  );
}

/** Whether a parameter of a bijection of one feature has nothing to do. */
const isUnusedAlone = (name: string, bijection: Bijection): boolean =>
  UNUSED_ALONE.some((pattern) => pattern.test(name)) ||
  // The network of a continuous flow sees the time beside the feature.
  (!(bijection instanceof Continuous) &&
    /layers\.0\.(blocks\.0\.)?weight$/.test(name) &&
    bijection.context === 0);
