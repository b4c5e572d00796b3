import { expect, test } from "vitest";
import { buildBijection } from "../../src/bijections/index.ts";
import { parametersOf } from "../../src/nn/index.ts";
import { Random } from "../../src/random/index.ts";
import { buildDistribution } from "../../src/tables/model/index.ts";
import { bijectionExamples } from "../bijections/examples.ts";
import { distributionExamples } from "../distributions/examples.ts";
import { allExamples } from "../examples.ts";

test("weight decay applies to the weights of networks and to no other parameter", () => {
  const random = new Random(0);
  const parts = [1, 2, 5].flatMap((features) => [
    ...allExamples(bijectionExamples, features).map((example) => buildBijection(example, random)),
    ...allExamples(distributionExamples, features).map((example) => buildDistribution(example, random)),
  ]);
  let weights = 0;
  for (const part of parts) {
    for (const [name, { decay }] of parametersOf(part)) {
      expect(decay, `${part.describe().type}: ${name}`).toBe(name.endsWith(".weight"));
      if (decay) weights++;
    }
  }
  expect(weights).toBeGreaterThan(100);
});
