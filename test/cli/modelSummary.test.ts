import { expect, test } from "vitest";
import { modelSummary } from "../../src/cli/modelSummary.ts";
import { forTables, made, maf, mixture } from "../../src/flows/index.ts";

test("a base alone, and flows inside of a mixture, are told layer by layer", () => {
  const lineOf = (flow: ReturnType<typeof made>) =>
    modelSummary({ flow, columns: ["a", "b"], given: [] }, "m")
      .split("\n")
      .find((line) => line.startsWith("flow"));
  expect(lineOf(made(2))).toMatchInlineSnapshot(`"flow        made"`);
  expect(lineOf(mixture([made(2), forTables(maf(2, { transforms: 2 }))]))).toMatchInlineSnapshot(
    `"flow        mixture (made, standard normal -> 2 x autoregressive (affine) -> tails -> standardize)"`,
  );
});
