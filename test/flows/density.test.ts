import { describe, test } from "vitest";
import { Chain, LULinear, Tails } from "../../src/bijections/index.ts";
import { GaussianMixture, StudentT } from "../../src/distributions/index.ts";
import { Flow, nsf } from "../../src/flows/index.ts";
import { Random } from "../../src/random/index.ts";
import { forTables } from "../../src/tables/fit/index.ts";
import { heavyTailedRule, lineRule } from "../mathematics/quadrature.ts";
import { perturb } from "../nn/perturb.ts";
import { flowCases } from "./cases.ts";
import { expectDensity } from "./expectDensity.ts";

/** Splines are the identity beyond 4, and a normal distribution has no mass beyond 9. */
const SPLINE_REACH = 9;
const given = { 0: undefined, 2: [0.7, -1.2] };

describe("one feature", () => {
  test.each(flowCases([1]))("$name", async (example) => {
    const rule = example.name.startsWith("nsf") ? lineRule(32_001, SPLINE_REACH) : lineRule(8001);
    await expectDensity(example.trained(), rule, 1e-6, given[example.context as 0 | 2]);
  });

  test("with power-law tails, through Tails and Standardize", async () => {
    const flow = forTables(nsf(1, { base: new StudentT({ features: 1, degreesOfFreedom: 3 }), hidden: [8] }));
    perturb(flow.parameters(), 0.2);
    flow.unstandardized().standardize!.center.value[0] = 2;
    flow.unstandardized().standardize!.scale.value[0] = 3;
    await expectDensity(flow, heavyTailedRule(40_001), 1e-4);
  });
});

describe("two features", () => {
  test.each(flowCases([2]))("$name", async (example) => {
    // The density has kinks at the knots of splines, where the quadrature has only second order.
    const kinks = example.name.startsWith("nsf");
    const rule = kinks ? lineRule(401, SPLINE_REACH) : lineRule(301, 40);
    await expectDensity(example.trained(), rule, kinks ? 2e-4 : 1e-6, given[example.context as 0 | 2]);
  });

  test("a mixture with a linear map", async () => {
    const base = new GaussianMixture({ features: 2, components: 3 }, new Random(1));
    const flow = new Flow(base, new Chain([new LULinear({ features: 2 })]));
    perturb(flow.parameters(), 0.4);
    await expectDensity(flow, lineRule(301, 40), 1e-6);
  });

  test("a normal with Tails", async () => {
    const flow = new Flow(nsf(2).base, new Tails({ features: 2, start: 0.8 }));
    await expectDensity(flow, lineRule(1001, 1e6), 1e-4);
  });
});
