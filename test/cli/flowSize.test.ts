import { expect, it } from "vitest";
import { RECIPES } from "../../src/cli/training.ts";
import { estimateParameters, parameterCount } from "../../src/flows/index.ts";
import { EARTHQUAKES, workplace } from "./command.ts";

const { failure, path } = workplace();
const NAMES = Object.keys(RECIPES) as (keyof typeof RECIPES)[];

it.each(NAMES)("the estimated number of parameters of %s is of the right size", (name) => {
  for (const features of [2, 6, 20]) {
    for (const context of [0, 3]) {
      for (const shape of [{}, { transforms: 3 }, { hidden: [32] }, { hidden: [16, 200, 16] }]) {
        if (name === "cnf" && "transforms" in shape) continue;
        const actual = parameterCount(RECIPES[name](features, { context, ...shape }));
        const estimate = estimateParameters(RECIPES[name], features, { context, ...shape })!;
        expect(
          estimate / actual,
          `${features} features, ${context}, ${JSON.stringify(shape)}`,
        ).toBeGreaterThan(0.8);
        expect(estimate / actual, `${features} features, ${context}, ${JSON.stringify(shape)}`).toBeLessThan(
          4,
        );
      }
    }
  }
});

it("refuses flows that are too large for memory, with their size", async () => {
  const fit = ["fit", EARTHQUAKES, "-o", path("large.safetensors"), "--flow"];
  expect(await failure(...fit, "nsf", "--hidden", "100000,100000")).toMatchInlineSnapshot(`
    "2
    Error: The flow would be too large: expected at most 100,000,000 parameters, received about 50,000,000,000, which need 2,000 GB in training.
    Lower --hidden or --transforms."
  `);
  expect(await failure(...fit, "maf", "--transforms", "1000000")).toMatchInlineSnapshot(`
    "2
    Error: The flow would be too large: expected at most 100,000,000 parameters, received about 5,000,000,000, which need 200 GB in training.
    Lower --hidden or --transforms."
  `);
});
