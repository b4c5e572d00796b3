import { describe, expect, test } from "vitest";
import { float64Graph } from "../../src/bijections/bijectionGraphs.ts";
import { type Bijection, Continuous, checkBijection } from "../../src/bijections/index.ts";
import { parametersOf } from "../../src/nn/module.ts";
import { named } from "../examples.ts";
import { perturb } from "../nn/perturb.ts";
import { bijectionCases, type Case } from "./cases.ts";
import { rowsWithin } from "./domain.ts";
import { expectClose } from "./invariants.ts";
import { expectStructure } from "./structure.ts";

/** With one feature there is nothing beside the diagonal, and nothing to condition on. */
const UNUSED_ALONE = [/lower$/, /upper$/];

describe.each(named(bijectionCases([1, 2, 5])))("%s", (_, example) => {
  const bijection = example.build();
  const float64 = float64Graph(bijection);

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

  test("keeps the invariants, at its start and after training", async () => {
    const rows = await rowsWithin(example, bijection);
    const unused = (path: string) => example.features === 1 && isUnusedAlone(path, bijection);
    await checkBijection(bijection, { ...rows, unused });
  });

  test("has Jacobians of its structure", async () => {
    perturb(parametersOf(bijection), 0.3);
    const rows = await rowsWithin(example, bijection);
    expectStructure(example.description, await float64.jacobians(rows));
  });
});

/** All do but those that move features, those that bend the line, and those onto a part of it. */
function startsAsIdentity({ description, hasSupport }: Case): boolean {
  const text = JSON.stringify(description);
  return (
    !hasSupport &&
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
