import { describe, expect, test } from "vitest";
import {
  type Distribution,
  Ensemble,
  GeneralizedNormal,
  Laplace,
  Mixture,
} from "../../src/distributions/index.ts";
import { Flow } from "../../src/flows/index.ts";
import { parametersOf, trainableParameters } from "../../src/nn/module.ts";
import type { Description } from "../../src/parts/description.ts";
import { Random } from "../../src/random/index.ts";
import { ConstantFeatures } from "../../src/tables/densities/index.ts";
import { buildDistribution } from "../../src/tables/model/index.ts";
import { extremeRows } from "../bijections/extremes.ts";
import { allFinite, copyParameters, expectClose } from "../bijections/invariants.ts";
import { named } from "../examples.ts";
import { columnOf, kolmogorovSmirnov } from "../mathematics/kolmogorovSmirnov.ts";
import {
  cumulative,
  heavyTailedRule,
  integral,
  intervalRule,
  kinkRule,
  lineRule,
  type Rule,
  square,
} from "../mathematics/quadrature.ts";
import { distributionCases } from "./cases.ts";
import { compiledOnce } from "./evaluate.ts";

const { draw, gradients, logProb, logProbFile } = compiledOnce;

const isDiscrete = ({ type, outputs, decoder, distributions }: Description): boolean =>
  ["bernoulli", "dequantized", "discretizedLogistic", "pixelAutoregressive"].includes(type) ||
  (decoder as Description | undefined)?.type === "bernoulli" ||
  outputs === "bernoulli" ||
  (distributions as Description[] | undefined)?.every(isDiscrete) === true;

/** Whether a feature is a point mass at 0: the density at 0 integrates to 1 over the other features. */
const isConstant = ({ constant }: Description, feature: number): boolean =>
  (constant as number[] | undefined)?.includes(feature) === true;

/** Whether the density is exactly 0 outside of a bounded support. */
const isBounded = (description: Description) =>
  isDiscrete(description) || ["constantFeatures", "uniform", "vonMises"].includes(description.type);

/** A quadrature rule for the support and the tails of a feature. */
function ruleFor(distribution: Distribution, description: Description, feature: number): Rule {
  const { type, low = 0, high = 1 } = description;
  const fine = distribution.features === 1;
  if (isConstant(description, feature)) return { nodes: Float64Array.of(0), weights: Float64Array.of(1) };
  if (isDiscrete(description)) return { nodes: Float64Array.of(0, 1), weights: Float64Array.of(1, 1) };
  if (type === "uniform") return intervalRule(low as number, high as number, 101);
  if (type === "vonMises") return intervalRule(-Math.PI, Math.PI, fine ? 4001 : 401);
  if (type === "cauchy" || type === "studentT") return heavyTailedRule(fine ? 4001 : 401);
  if (distribution instanceof Laplace || distribution instanceof GeneralizedNormal)
    return kinkRule(distribution.location.value[feature], fine ? 4000 : 400);
  return lineRule(fine ? 4001 : 401);
}

const cases = distributionCases([1, 2, 3]).map((example) => ({ ...example, distribution: example.build() }));
/** Cases whose `logProb` is exact, and not a bound of an integral over latent features. */
const exactCases = cases.filter(
  ({ description, features }) => features <= 2 && description.type !== "variationalAutoencoder",
);

describe.each(named(exactCases))("%s", (_, example) => {
  const { distribution } = example;
  const rules = Array.from({ length: example.features }, (_, i) =>
    ruleFor(distribution, example.description, i),
  );
  const grid =
    example.features === 1 ? { rows: rules[0].nodes, weights: rules[0].weights } : square(rules[0], rules[1]);

  let values: Promise<Float64Array> | undefined;
  const onGrid = () => {
    values ??= logProb(distribution, grid.rows);
    return values;
  };

  test("has a density that integrates to 1", async () => {
    const total = integral(await onGrid(), grid.weights);
    expect(Math.abs(total - 1)).toBeLessThan(1e-7);
  });

  test("has samples with this density", async () => {
    const rows = await draw(distribution, 20_000);
    const joint = (await onGrid()).map(Math.exp);
    const size = rules.at(-1)!.nodes.length;
    for (let column = 0; column < example.features; column++) {
      const rule = rules[column];
      // The marginal density, by quadrature over the other feature.
      const density =
        example.features === 1
          ? joint
          : Float64Array.from({ length: rule.nodes.length }, (_, i) =>
              rules[1 - column].weights.reduce(
                (sum, w, j) => sum + w * joint[column === 0 ? i * size + j : j * size + i],
                0,
              ),
            );
      const drawn = columnOf(rows, example.features, column);
      if (isConstant(example.description, column)) {
        expect([...new Set(drawn)]).toEqual([0]);
        continue;
      }
      if (isDiscrete(example.description)) {
        // The number of ones is within 4 standard deviations of its mean.
        const ones = drawn.reduce((a, b) => a + b);
        const deviation = Math.sqrt(drawn.length * density[0] * density[1]);
        expect(Math.abs(ones - drawn.length * density[1])).toBeLessThan(4 * deviation);
        continue;
      }
      const probability = cumulative(rule, density);
      expect(kolmogorovSmirnov(drawn, probability)).toBeGreaterThan(1e-3);
    }
  });
});

// Three features have all that two have: an order, triangles, and a first feature without inputs.
describe.each(named(cases.filter(({ features }) => features !== 2)))("%s", (_, example) => {
  const { distribution } = example;
  const D = example.features;

  test("has a finite, nonzero gradient for every parameter", async () => {
    // An odd number, since the gradients of a Laplace distribution are signs, which could cancel.
    const rows = await draw(distribution, 51);
    const [, ...byParameter] = await gradients(distribution, rows);
    [...trainableParameters(distribution).keys()].forEach((name, i) => {
      expect(allFinite(byParameter[i]), name).toBe(true);
      // With one feature, a mixture has no elements below its diagonals and a MADE no inputs. The weight of a single component is 1.
      const unused =
        (D === 1 && (name === "lower" || /(network|direct)\.layers.*weight$/.test(name))) ||
        (name.endsWith("logWeights") && byParameter[i].length === 1);
      if (!unused)
        expect(
          Array.from(byParameter[i]).some((g) => Math.abs(g) > 1e-12),
          name,
        ).toBe(true);
    });
  });

  test.each(["float32", "float64"] as const)(
    "has a finite and low log-density for extreme rows, in %s",
    async (precision) => {
      const rows = extremeRows(D, precision);
      const values = await logProb(distribution, rows, precision);
      const all = await gradients(distribution, rows, precision);
      if (isBounded(example.description)) {
        expect([...values].every((v) => v === Number.NEGATIVE_INFINITY || Number.isFinite(v))).toBe(true);
        for (const gradient of all) expect(allFinite(gradient)).toBe(true);
        values.forEach((value, r) => {
          const row = all[0].subarray(r * D, (r + 1) * D);
          if (value === Number.NEGATIVE_INFINITY) expect([...row].every((g) => Math.abs(g) === 0)).toBe(true);
        });
        return;
      }
      expect(allFinite(values)).toBe(true);
      for (const gradient of all) expect(allFinite(gradient)).toBe(true);
      const [near, far] = await logProb(
        distribution,
        [...new Array(D).fill(0), ...new Array(D).fill(1e30)],
        precision,
      );
      expect(far).toBeLessThan(near - 50);
    },
  );

  test("has a log-density of NaN for a NaN", async () => {
    expect((await logProb(distribution, new Array(D).fill(Number.NaN)))[0]).toBeNaN();
    expect((await logProb(distribution, [...new Array(D - 1).fill(0.5), Number.NaN]))[0]).toBeNaN();
  });

  test("has the same log-density and samples in float32 as in float64", async () => {
    const rows = await draw(distribution, 200);
    const single = await logProb(distribution, Float32Array.from(rows), "float32");
    expectClose(single, await logProb(distribution, Float32Array.from(rows)), 1e-5, "log-density");
    expectClose(await draw(distribution, 200, "float32"), rows, 1e-3, "rows");
  });

  test("an Ensemble, a Mixture and a Flow of it have its atoms, values, support and flags", () => {
    const flags = ({ acceptsMissing, isBound }: Distribution) => [acceptsMissing === true, isBound === true];
    for (const combined of [
      new Ensemble(distribution, { variants: 1 }),
      new Mixture([distribution, distribution]),
      new Flow(distribution),
    ]) {
      expect(combined.atoms).toEqual(distribution.atoms);
      expect(combined.values).toEqual(distribution.values);
      expect(combined.support).toEqual(distribution.support);
      expect(flags(combined)).toEqual(flags(distribution));
    }
    for (const combined of [
      new Ensemble(distribution, { variants: 1 }),
      new Mixture([distribution, distribution]),
      new Flow(distribution),
      new ConstantFeatures(distribution, { constant: [D] }),
    ]) {
      expect(combined.withDraws?.(2).isBound).toBe(distribution.withDraws && true);
    }
    const { center } = new Ensemble(distribution, { variants: 1 });
    expect(typeof center).toBe(typeof distribution.center);
    // The values of a discrete distribution are declared, so that `dequantize` refuses it.
    const isPixels = ["bernoulli", "discretizedLogistic", "pixelAutoregressive"];
    const { type, outputs } = example.description;
    if (isPixels.includes(type) || outputs === "bernoulli") expect(distribution.values).toBe(2);
  });

  test("is determined by its description and its parameters", async () => {
    const rebuilt = buildDistribution(JSON.parse(JSON.stringify(distribution.describe())), new Random(99));
    copyParameters(distribution, rebuilt);
    expect(rebuilt.describe()).toEqual(distribution.describe());
    // Equal graphs with equal parameters have equal log-densities of all rows, and need no session.
    expect(Buffer.compare(logProbFile(rebuilt), logProbFile(distribution))).toBe(0);
    const noise = (d: Distribution) => d.noise;
    expect(noise(rebuilt)).toEqual(noise(distribution));
    expect([...parametersOf(rebuilt).keys()]).toEqual([...parametersOf(distribution).keys()]);
  });
});
