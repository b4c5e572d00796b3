import { describe, expect, test } from "vitest";
import type { PushforwardError } from "../../src/check/errors.ts";
import type { Flow } from "../../src/flows/flow.ts";
import { imageTransformer } from "../../src/flows/recipes/imageTransformer.ts";
import * as recipes from "../../src/flows/recipes/index.ts";
import type { ImageShape } from "../../src/nn/image.ts";

const wrong = (value: unknown) => value as never;
const all = Object.entries(recipes) as unknown as [
  string,
  (features: unknown, options?: unknown) => unknown,
][];

describe.each(all)("%s", (name, recipe) => {
  test("throws for an unknown option, and suggests a similar one", () => {
    expect(() => recipe(2, { sed: 1 })).toThrow(
      expect.objectContaining({
        code: "ARGUMENT",
        message: expect.stringMatching(
          new RegExp(
            `^an option of ${name} is not valid: expected one of .*, received sed \\(did you mean seed\\?\\)\\.$`,
          ),
        ),
      }),
    );
  });

  test("throws for an invalid number of features", () => {
    for (const features of [{ features: 2 }, "2", 0, 1.5, undefined]) {
      expect(() => recipe(features)).toThrow(`the number of features of ${name} is not valid: expected`);
    }
  });

  test("throws for options that are not an object", () => {
    expect(() => recipe(2, null)).toThrow(
      `an option of ${name} is not valid: expected an object, received null`,
    );
    expect(() => recipe(2, [3])).toThrow(
      `an option of ${name} is not valid: expected an object, received [3]`,
    );
  });
});

describe("an option that is undefined has its default", () => {
  const describe = (flow: unknown) => (flow as Flow).describe();

  test.each(all)("%s", (_, recipe) => {
    let names: string[] = [];
    try {
      recipe(2, { sed: 1 });
    } catch (error) {
      names = (error as PushforwardError).expected!.replace("one of ", "").split(", ");
    }
    expect(names).toContain("seed");
    const undefinedOptions = Object.fromEntries(names.map((name) => [name, undefined]));
    expect(describe(recipe(2, undefinedOptions))).toEqual(describe(recipe(2)));
  });

  test("also for images", () => {
    const image: ImageShape = [4, 4, 1];
    const ofImages = { image, levels: 1, steps: 1 };
    expect(describe(recipes.realNVP({ ...ofImages, block: undefined, blocks: undefined }))).toEqual(
      describe(recipes.realNVP(ofImages)),
    );
    const transformer = { image, layers: 1, width: 16, heads: 2 };
    expect(describe(imageTransformer({ ...transformer, atoms: undefined }))).toEqual(
      describe(imageTransformer(transformer)),
    );
  });
});

test("errors of misspelled options and of invalid values are one line", () => {
  const { nsf, maf, planarFlow, realNVP, madeFlow } = recipes;
  expect(() => nsf(2, wrong({ transfoms: 3 }))).toThrowErrorMatchingInlineSnapshot(
    `[PushforwardError: an option of nsf is not valid: expected one of hidden, activation, residual, context, transforms, base, seed, ordering, orders, ensemble, batchNorm, kind, bins, bound, received transfoms (did you mean transforms?).]`,
  );
  expect(() => nsf(wrong({ features: 2 }))).toThrowErrorMatchingInlineSnapshot(
    `[PushforwardError: the number of features of nsf is not valid: expected a number, received {"features":2}.]`,
  );
  expect(() => maf(2, wrong({ transforms: "3" }))).toThrowErrorMatchingInlineSnapshot(
    `[PushforwardError: an option of maf is not valid at transforms: expected a number, received "3".]`,
  );
  expect(() => maf(2, { transforms: 0 })).toThrowErrorMatchingInlineSnapshot(
    `[PushforwardError: an option of maf is not valid at transforms: expected more than 0, received 0.]`,
  );
  expect(() => maf(2, wrong({ base: "normal" }))).toThrowErrorMatchingInlineSnapshot(
    `[PushforwardError: an option of maf is not valid at base: expected a distribution, received "normal".]`,
  );
  expect(() => maf(2, wrong({ hidden: 64 }))).toThrowErrorMatchingInlineSnapshot(
    `[PushforwardError: an option of maf is not valid at hidden: expected a list, received 64.]`,
  );
  expect(() => nsf(2, wrong({ kind: "couplings" }))).toThrowErrorMatchingInlineSnapshot(
    `[PushforwardError: an option of nsf is not valid at kind: expected one of "coupling", "autoregressive", received "couplings".]`,
  );
  expect(() => nsf(2, wrong({ bins: "8" }))).toThrowErrorMatchingInlineSnapshot(
    `[PushforwardError: an autoregressive bijection is not valid at transform.bins: expected a number, received "8".]`,
  );
  expect(() => planarFlow(2, wrong({ ordering: "random" }))).toThrowErrorMatchingInlineSnapshot(
    `[PushforwardError: an option of planarFlow is not valid: expected one of hidden, activation, residual, context, transforms, base, seed, batchNorm, closedForm, received ordering.]`,
  );
  expect(() => realNVP(2, wrong({ conditioner: "masked" }))).toThrowErrorMatchingInlineSnapshot(
    `[PushforwardError: an option of realNVP is not valid at conditioner: expected one of "shared", "separate", received "masked".]`,
  );
  expect(() => madeFlow(2, wrong({ ordering: "alternating" }))).toThrowErrorMatchingInlineSnapshot(
    `[PushforwardError: an option of madeFlow is not valid at ordering: expected one of "natural", "random", received "alternating".]`,
  );
});
