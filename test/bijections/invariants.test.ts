import { afterAll, describe, expect, test } from "vitest";
import { compileFloat64Checks } from "../../src/bijections/bijectionGraphs.ts";
import { type Bijection, Continuous } from "../../src/bijections/index.ts";
import { checkBijection } from "../../src/flows/index.ts";
import { input } from "../../src/graph/tensor.ts";
import { parametersOf } from "../../src/nn/module.ts";
import { named } from "../examples.ts";
import { perturb } from "../nn/perturb.ts";
import { bijectionCases, type Case } from "./cases.ts";
import { rowsInDomain } from "./domain.ts";
import { expectClose } from "./invariants.ts";
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
  const checks = compileFloat64Checks(bijection);
  afterAll(checks.release);

  if (startsAsIdentity(example))
    test("starts as the identity", async () => {
      const rows = await rowsInDomain(example, bijection, example.description.type === "tails" ? 0.05 : 1);
      const out = await checks.run(rows);
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
      expectJacobianStructure(example.description, await checks.jacobians(rows));
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
