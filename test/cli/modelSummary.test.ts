import { expect, test } from "vitest";
import { modelSummary } from "../../src/cli/modelSummary.ts";
import { ContextEmbedding } from "../../src/distributions/index.ts";
import { embedContext, madeFlow, maf, mixtureFlow } from "../../src/flows/index.ts";
import { forTables } from "../../src/tables/fit/index.ts";

test("a flow without bijections, and flows inside of a mixture, are summarized layer by layer", () => {
  const lineOf = (flow: ReturnType<typeof madeFlow>) =>
    modelSummary({ flow, columns: ["a", "b"], given: [] }, "m")
      .split("\n")
      .find((line) => line.startsWith("flow"));
  expect(lineOf(madeFlow(2))).toMatchInlineSnapshot(`"flow        made"`);
  expect(lineOf(mixtureFlow([madeFlow(2), forTables(maf(2, { transforms: 2 }))]))).toMatchInlineSnapshot(
    `"flow        mixture (made, standard normal -> 2 x autoregressive (affine) -> tails -> standardize)"`,
  );
});

test("an embedding of the context has its own line", () => {
  const embedding = new ContextEmbedding({ numbers: 1, classes: [3, 5] });
  const flow = embedContext(maf(1, { context: 9, transforms: 1 }), embedding);
  const given = ["a", "b", "c"];
  expect(modelSummary({ flow, columns: ["x"], given }, "m")).toMatchInlineSnapshot(`
    "model       m
    columns     x
    given       a, b, c
    embedding   1 number, labels of 3 and 5 classes -> 9
    flow        standard normal -> autoregressive (affine)
    parameters  4,996
    "
  `);
});

test("the epochs of a member that is not part of the model are left out", () => {
  const summaryOf = (...names: string[]) => {
    const members = names.map((name) => ({ name, weight: 1 / names.length, validationLogDensity: -1 }));
    const record = { rows: 90, seed: 0, epochs: 120, bestEpoch: 30, validationLogDensity: -1, members };
    return modelSummary({ flow: madeFlow(2), columns: ["a", "b"], given: [], training: record }, "m");
  };
  expect(summaryOf("kernel-density", "gaussian-mixture")).not.toContain("epoch");
  expect(summaryOf("kernel-density", "autoregressive")).toContain(
    "120, the best is epoch 30, of the best member trained by gradient descent",
  );
});
