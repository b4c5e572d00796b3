import { describe, expect, test } from "vitest";
import { type Bijection, Continuous, checkBijection } from "../../src/bijections/index.ts";
import { vjp } from "../../src/graph/grad.ts";
import { input } from "../../src/graph/tensor.ts";
import { parametersOf } from "../../src/nn/module.ts";
import { compile } from "../../src/runtime/compile.ts";
import { named } from "../examples.ts";
import { perturb } from "../nn/perturb.ts";
import { bijectionCases, type Case } from "./cases.ts";
import { rowsInDomain } from "./domain.ts";
import { expectClose, type Rows } from "./invariants.ts";
import { expectJacobianStructure, hasJacobianStructure } from "./structure.ts";

/** Parameters without influence if there is only one feature: matrices have no element off the diagonal. */
const UNUSED_WITH_ONE_FEATURE = [/lower$/, /upper$/];

const cases = [
  // An odd number of features, whose halves are unequal. Other tests have flows and extreme rows with two features.
  ...bijectionCases([1, 3]),
  ...bijectionCases([4]).filter(({ description }) => description.type === "squeeze"),
];

describe.each(named(cases))("%s", (_, example) => {
  const bijection = example.build();

  if (startsAsIdentity(example))
    test("starts as the identity", async () => {
      const rows = await rowsInDomain(example, bijection, example.description.type === "tails" ? 0.05 : 1);
      const out = await bothDirections(bijection, rows);
      expectClose(out.data, rows.z, 1e-6, "forward");
      expectClose(out.latent, rows.x, 1e-6, "inverse");
      for (const logDet of [...out.forwardLogDet, ...out.inverseLogDet]) {
        expect(Math.abs(logDet)).toBeLessThan(1e-6);
      }
    });

  test("passes checkBijection", async () => {
    const rows = await rowsInDomain(example, bijection);
    const unused = (path: string) => example.features === 1 && isUnusedWithOneFeature(path, bijection);
    await checkBijection(bijection, { ...rows, unused });
  });

  if (bijection.context > 0)
    test("throws SHAPE without its context", () => {
      const rows = input("rows", ["N", bijection.features]);
      for (const direction of ["forward", "inverse"] as const)
        expect(() => bijection[direction](rows)).toThrow(expect.objectContaining({ code: "SHAPE" }));
      expect(() => bijection.inverse(rows)).toThrow("the context of a network is missing");
    });

  if (hasJacobianStructure(example.description))
    test("has the zeros of its Jacobian structure", async () => {
      perturb(parametersOf(bijection), 0.3);
      const rows = await rowsInDomain(example, bijection);
      expectJacobianStructure(example.description, await jacobians(bijection, rows));
    });
});

/** Permutations, also those of images, bijections with a support and splines without tails do not. */
function startsAsIdentity({ description, hasSupport }: Case): boolean {
  const text = JSON.stringify(description);
  return (
    !hasSupport &&
    !text.includes('"permutation"') &&
    !text.includes('"squeeze"') &&
    description.type !== "columnScales" &&
    !(text.includes('"tails"') && description.type !== "tails")
  );
}

/** Whether a parameter has no influence in a bijection of one feature. */
const isUnusedWithOneFeature = (name: string, bijection: Bijection): boolean =>
  UNUSED_WITH_ONE_FEATURE.some((pattern) => pattern.test(name)) ||
  // Such networks have no inputs; only the network of a continuous flow also sees the time.
  (!(bijection instanceof Continuous) &&
    /layers\.0\.(blocks\.0\.)?weight$/.test(name) &&
    bijection.context === 0);

/** Both directions in float64. */
async function bothDirections(bijection: Bijection, { z, x, context }: Rows) {
  const { features, context: contextSize } = bijection;
  const run = compile(
    (z, x, context) => {
      const [data, latent] = [bijection.forward(z, context), bijection.inverse(x, context)];
      return {
        data: data.value,
        latent: latent.value,
        forwardLogDet: data.logDet,
        inverseLogDet: latent.logDet,
      };
    },
    [["N", features], ["N", features], ...(contextSize > 0 ? [["N", contextSize] as const] : [])],
    { precision: "float64" },
  );
  return run(z, x, ...(contextSize > 0 ? [context] : [])).finally(run.release);
}

/** Jacobians [N, D, D] of both directions in float64: rows of them are vector-Jacobian products with unit vectors. */
async function jacobians(bijection: Bijection, { z, x, context }: Rows) {
  const { features: D, context: contextSize } = bijection;
  const run = compile(
    (z, x, cotangent, context) => ({
      forward: vjp([bijection.forward(z, context).value], [z], [cotangent])[0],
      inverse: vjp([bijection.inverse(x, context).value], [x], [cotangent])[0],
    }),
    [["N", D], ["N", D], ["N", D], ...(contextSize > 0 ? [["N", contextSize] as const] : [])],
    { precision: "float64" },
  );
  // Each row D times, once for each unit vector.
  const repeated = (values: Float64Array, size: number) =>
    Float64Array.from(
      { length: values.length * D },
      (_, k) => values[Math.floor(k / (size * D)) * size + (k % size)],
    );
  const units = Float64Array.from({ length: z.length * D }, (_, k) =>
    Math.floor(k / D) % D === k % D ? 1 : 0,
  );
  return run(
    repeated(z, D),
    repeated(x, D),
    units,
    ...(contextSize > 0 ? [repeated(context, contextSize)] : []),
  ).finally(run.release);
}
