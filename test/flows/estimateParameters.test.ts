import { expect, it } from "vitest";
import {
  cnf,
  estimateParameters,
  glow,
  iaf,
  maf,
  naf,
  nice,
  nsf,
  parameterCount,
  planarFlow,
  realNVP,
} from "../../src/flows/index.ts";

const RECIPES = { nsf, maf, realNVP, glow, nice, iaf, planarFlow, naf, cnf };
const NAMES = Object.keys(RECIPES) as (keyof typeof RECIPES)[];

it.each(NAMES)(
  "the number of parameters of %s is exact, or an upper bound for wide masked layers",
  (name) => {
    const recipe = RECIPES[name];
    const isCoupling = ["realNVP", "glow", "nice"].includes(name);
    const isMasked = ["nsf", "maf", "iaf", "naf"].includes(name);
    for (const features of [1, 2, 5, 20]) {
      for (const context of [0, 3]) {
        if (isCoupling && features === 1 && context === 0) continue;
        for (const shape of [{}, { transforms: 3 }, { hidden: [32] }, { hidden: [16, 200, 16] }]) {
          if (name === "cnf" && "transforms" in shape) continue;
          const actual = parameterCount(recipe(features, { context, ...shape }));
          const estimate = estimateParameters(recipe, features, { context, ...shape })!;
          const which = `${features} features, context ${context}, ${JSON.stringify(shape)}`;
          if (!isMasked || shape.hidden?.length !== 3) expect(estimate, which).toBe(actual);
          expect(estimate, which).toBeGreaterThanOrEqual(actual);
          expect(estimate, which).toBeLessThan(1.5 * actual);
        }
      }
    }
  },
);

it("there is no estimate for other recipes", () => {
  expect(estimateParameters(() => maf(2), 2)).toBeUndefined();
});

it("options of a wrong type are an error", () => {
  expect(() => estimateParameters(maf, 3, { hidden: 64 as never })).toThrowErrorMatchingInlineSnapshot(
    `[PushforwardError: the option hidden of estimateParameters has an invalid value: expected a list of positive integers, received 64.]`,
  );
  expect(() => estimateParameters(maf, 0)).toThrowErrorMatchingInlineSnapshot(
    `[PushforwardError: the number of features of estimateParameters is not valid: expected more than 0, received 0.]`,
  );
});
