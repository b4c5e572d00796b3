import { expect, expectTypeOf, test } from "vitest";
import { distributionRegistry } from "../../src/distributions/build.ts";
import {
  DiagonalNormal,
  type DistributionDescription,
  GaussianMixture,
  GeneralizedNormal,
  Logistic,
  Made,
  Resampled,
  StandardNormal,
  StudentT,
  Uniform,
  VonMises,
} from "../../src/distributions/index.ts";
import { distributionKinds } from "../../src/distributions/registry.ts";
import type { Description } from "../../src/parts/description.ts";
import { Random } from "../../src/random/index.ts";
import { registerTableDensities, tableDensityKinds } from "../../src/tables/densities/registry.ts";
import { buildDistribution } from "../../src/tables/model/index.ts";
import { allExamples } from "../examples.ts";
import { distributionExamples } from "./examples.ts";

const random = new Random(0);

test("invalid descriptions are errors that name the path of the field", () => {
  const build = (description: unknown) => () => buildDistribution(description as Description, random);
  expect(build({ type: "normal", features: 1 })).toThrow(
    /^a distribution is not valid at type: expected one of .*"cauchy", .*, received "normal"\.$/,
  );
  expect(build({ type: "gaussianMixture", features: 2 })).toThrowErrorMatchingInlineSnapshot(
    `[PushforwardError: a distribution is not valid at components: expected a number, received nothing.]`,
  );
  expect(build({ type: "uniform", features: 2, low: 1, high: 1 })).toThrowErrorMatchingInlineSnapshot(
    `[PushforwardError: a distribution is not valid at high: expected more than low, received 1.]`,
  );
  expect(build({ type: "studentT", features: 2, degreesOfFreedom: "5" })).toThrowErrorMatchingInlineSnapshot(
    `[PushforwardError: a distribution is not valid at degreesOfFreedom: expected a number, received "5".]`,
  );
  expect(build({ type: "logistic" })).toThrow(expect.objectContaining({ code: "MODEL" }));
});

test("constructors throw ARGUMENT for the same invalid values", () => {
  for (const make of [
    () => new DiagonalNormal({ features: 0 }),
    () => new GaussianMixture({ features: 2, components: 0 }, random),
    () => new Logistic({ features: 1.5 }),
    () => new StandardNormal({ features: -1 }),
    () => new StudentT({ features: 1, degreesOfFreedom: 0 }),
    () => new Uniform({ features: 1, low: 2, high: 1 }),
    () => new DiagonalNormal({ features: 1, context: -1 }),
    () => new GeneralizedNormal({ features: 1, exponent: 0 }),
    () => new Made({ order: [1, 1] }, random),
    () => new Resampled({ features: 1, truncation: 1 }, random),
    () => new VonMises({ features: 1, concentration: 0 }),
  ]) {
    expect(make).toThrow(expect.objectContaining({ name: "PushforwardError", code: "ARGUMENT" }));
  }
  expect(() => new StandardNormal({ features: 0 })).toThrowErrorMatchingInlineSnapshot(
    `[PushforwardError: a standard normal distribution is not valid at features: expected more than 0, received 0.]`,
  );
});

test("the registry has each type once, in alphabetical order, and the type of descriptions is their union", () => {
  registerTableDensities();
  const types = distributionRegistry.types.sort();
  expect(types.length).toBe(distributionKinds.length + tableDensityKinds.length);
  expect(Object.keys(distributionExamples)).toEqual(types);
  for (const example of allExamples(distributionExamples, 2))
    expect(() => buildDistribution({ ...example, fetures: 2 } as Description, random)).toThrow("fetures");
  expectTypeOf<"uniform">().toExtend<DistributionDescription["type"]>();
  expectTypeOf<string>().not.toExtend<DistributionDescription["type"]>();
  expectTypeOf<Extract<DistributionDescription, { type: "uniform" }>["low"]>().toEqualTypeOf<number>();
});
