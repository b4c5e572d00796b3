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

it.each(NAMES)("the estimated number of parameters of %s is of the right size", (name) => {
  const recipe = RECIPES[name];
  for (const features of [2, 6, 20]) {
    for (const context of [0, 3]) {
      for (const shape of [{}, { transforms: 3 }, { hidden: [32] }, { hidden: [16, 200, 16] }]) {
        if (name === "cnf" && "transforms" in shape) continue;
        const actual = parameterCount(recipe(features, { context, ...shape }));
        const ratio = estimateParameters(recipe, features, { context, ...shape })! / actual;
        const which = `${features} features, context ${context}, ${JSON.stringify(shape)}`;
        expect(ratio, which).toBeGreaterThan(0.8);
        expect(ratio, which).toBeLessThan(4);
      }
    }
  }
});

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
