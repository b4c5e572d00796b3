import { describe, expect, test } from "vitest";
import { Mixture, StandardNormal } from "../../src/distributions/index.ts";
import {
  asSubsetDistribution,
  isSubsetDistribution,
  knownFeatures,
} from "../../src/distributions/subsetDistribution.ts";
import type { Tensor } from "../../src/graph/tensor.ts";
import { Random } from "../../src/random/index.ts";
import { type Compiled, compile } from "../../src/runtime/compile.ts";
import type { ColumnHeadOptions } from "../../src/tables/densities/heads/columnHead.ts";
import { KernelDensity, LatentClasses, MixedMade } from "../../src/tables/densities/index.ts";
import { logProb } from "./evaluate.ts";
import {
  atoms,
  discrete as columns,
  combinations,
  continuous,
  lattice,
  mixedRows,
  randomize,
  sumOfProbabilities,
  discreteValues as values,
  withGaps,
} from "./mixedColumns.ts";
import {
  conditionalOf,
  drawEach,
  expectConditionalDensities,
  expectConditionalDraws,
  logProbKnown,
  subsetsOf,
  testSharedGaps,
} from "./subsets.ts";

function randomMade(seed: number, heads: ColumnHeadOptions[] = columns): MixedMade {
  const network = { hidden: [12, 12], activation: "tanh" as const };
  const made = new MixedMade({ columns: heads, network }, new Random(seed));
  randomize(made, { seed, scale: 0.8 });
  return made;
}

type Conditionals = Compiled<Tensor>;
const compiledConditionals = new WeakMap<MixedMade, Map<string, Conditionals>>();

/** The conditional log-probabilities [N, 3] of a MADE in an ordering, compiled once. */
function conditionalsIn(made: MixedMade, positions: number[]): Conditionals {
  const functions = compiledConditionals.get(made) ?? new Map<string, Conditionals>();
  compiledConditionals.set(made, functions);
  const run =
    functions.get(positions.join()) ??
    compile((x) => made.conditionals(x, positions).transpose(), [["N", 3]], { precision: "float64" });
  functions.set(positions.join(), run);
  return run;
}

/** log p(x_known, x_d) of a MADE in the ordering in which the known features come first, then d, and then all others. */
async function logJointOf(made: MixedMade, rows: number[][], known: readonly number[], d: number) {
  const others = [0, 1, 2].filter((other) => other !== d && !known.includes(other));
  const order = [...known, d, ...others];
  const positions = order.map((_, feature) => order.indexOf(feature));
  const conditionals = await conditionalsIn(
    made,
    positions,
  )(Float64Array.from(rows.flat(), (value) => value));
  return rows.map((_, n) => [...known, d].reduce((sum, feature) => sum + conditionals[3 * n + feature], 0));
}

test("the numbers of a subset are those of the known features, in the order in which they are given", () => {
  expect(knownFeatures(4, [3, 1])).toEqual({
    known: Float64Array.of(0, 1, 0, 1),
    positions: Float64Array.of(2, 1, 2, 0),
  });
  expect(() => knownFeatures(2, [2])).toThrowErrorMatchingInlineSnapshot(
    `[PushforwardError: the index of a known feature is out of range: expected indices from 0 to 1, received 2.]`,
  );
  expect(() => knownFeatures(3, [1, 0, 1])).toThrowErrorMatchingInlineSnapshot(
    `[PushforwardError: a known feature is listed twice: expected different indices, received 1, 0, 1.]`,
  );
});

describe("a mixed MADE with any ordering", () => {
  const made = randomMade(1);

  test("has an exact distribution of every subset, which sums to 1", async () => {
    for (const known of subsetsOf(3)) {
      const rows = combinations(values.map((list, d) => (known.includes(d) ? list : [Number.NaN])));
      expect(sumOfProbabilities(await logProbKnown(made, rows, known))).toBeCloseTo(1, 12);
    }
  });

  test("has p(x) = p(x_a) p(x_b | x_a) in the ordering in which the subset comes first", async () => {
    for (const known of subsetsOf(3)) {
      const order = [...known, ...[0, 1, 2].filter((d) => !known.includes(d))];
      const positions = [0, 1, 2].map((d) => order.indexOf(d));
      const run = compile((x) => made.logProbInOrder(x, positions), [["N", 3]], { precision: "float64" });
      const rows = combinations(values);
      const joint = await run(Float64Array.from(rows.flat()));
      const marginal = await logProbKnown(made, rows, known);
      const sums = new Map<string, number>();
      const key = (n: number) => known.map((d) => rows[n][d]).join();
      for (const [n] of rows.entries()) sums.set(key(n), (sums.get(key(n)) ?? 0) + Math.exp(joint[n]));
      for (const [n] of rows.entries()) expect(Math.exp(marginal[n])).toBeCloseTo(sums.get(key(n))!, 12);
    }
  });

  test("has the conditional density of each unknown feature", async () => {
    await expectConditionalDensities(made, combinations(values));
    await expectConditionalDensities(randomMade(2, [continuous, atoms, lattice]), mixedRows);
  });

  test("ignores the values of unknown features", async () => {
    const mixed = randomMade(2, [lattice, atoms, continuous]);
    const [expected] = await logProbKnown(mixed, [[3, 0, 0.4]], [0, 2]);
    const drawn = await drawEach(mixed, [3, 0, 0.4], [0, 2], 10);
    for (const unknown of [1, Number.NaN, 1e300, Number.POSITIVE_INFINITY]) {
      expect(await logProbKnown(mixed, [[3, unknown, 0.4]], [0, 2])).toEqual([expected]);
      expect(await drawEach(mixed, [3, unknown, 0.4], [0, 2], 10)).toEqual(drawn);
    }
  });

  test("draws each unknown feature from its conditional distribution", async () => {
    for (const [row, known] of [
      [[2, Number.NaN, 3], [1]],
      [[2, Number.NaN, 3], []],
      [
        [2, 1, 3],
        [0, 2],
      ],
    ] as const)
      await expectConditionalDraws(made, row, known, values, (rows, ...rest) =>
        logJointOf(made, rows, ...rest),
      );
  });

  testSharedGaps((heads) => randomMade(3, heads));
});

describe("a mixture of a MADE and latent classes", () => {
  testSharedGaps(
    (heads) =>
      new Mixture([randomMade(3, heads), new LatentClasses({ columns: heads, classes: 2 }, new Random(5))]),
  );
});

describe("a mixture of distributions of subsets", () => {
  const members = [randomMade(1), randomMade(2), randomMade(3)];
  const weights = [0.2, 0.5, 0.3];
  const mixture = new Mixture(members);
  mixture.logWeights.value = Float64Array.from(weights, Math.log);

  test("has the weighted sum of their distributions", async () => {
    for (const known of subsetsOf(3)) {
      const rows = combinations(values);
      const each = await Promise.all(members.map((member) => logProbKnown(member, rows, known)));
      const actual = await logProbKnown(mixture, rows, known);
      actual.forEach((value, n) => {
        const expected = weights.reduce((sum, weight, k) => sum + weight * Math.exp(each[k][n]), 0);
        expect(Math.exp(value)).toBeCloseTo(expected, 12);
      });
    }
  });

  test("draws each unknown feature from its conditional distribution, given that it is present on request", async () => {
    const logJoint = async (rows: number[][], known: readonly number[], d: number) => {
      const each = await Promise.all(members.map((member) => logJointOf(member, rows, known, d)));
      return rows.map((_, n) =>
        Math.log(weights.reduce((sum, weight, k) => sum + weight * Math.exp(each[k][n]), 0)),
      );
    };
    for (const known of [[2], [0, 2], []])
      await expectConditionalDraws(mixture, [1, 0, 4], known, values, logJoint);
    await expectConditionalDraws(new Mixture([mixture]), [1, 0, 4], [2], values, logJoint);
  });

  test("has the conditional density of each unknown feature", async () => {
    await expectConditionalDensities(mixture, combinations(values));
    await expectConditionalDensities(new Mixture([mixture, members[0]]), combinations(values));
  });

  test("has a probability of each unknown feature to be present", async () => {
    const present = await Promise.all(
      [0, 1].map(async (d) => (await conditionalOf(mixture, d, [[0, 0, 4]], [2])).logPresent[0]),
    );
    expect(present[0]).toBeCloseTo(0, 12);
    const each = await Promise.all(
      members.map((member) =>
        logJointOf(
          member,
          [0, 1, Number.NaN].map((value) => [0, value, 4]),
          [2],
          1,
        ),
      ),
    );
    const joint = [0, 1, 2].map((v) =>
      weights.reduce((sum, weight, k) => sum + weight * Math.exp(each[k][v]), 0),
    );
    expect(Math.exp(present[1])).toBeCloseTo((joint[0] + joint[1]) / (joint[0] + joint[1] + joint[2]), 12);
  });
});

test("a mixture of a MADE, latent classes and a kernel density has exact conditional distributions", async () => {
  const classes = new LatentClasses({ columns, classes: 2 }, new Random(5));
  const kernels = new KernelDensity({ columns, centers: 4, widths: 2 }, new Random(6));
  const made = randomMade(7);
  const mixture = new Mixture([made, classes, kernels]);
  mixture.logWeights.value = Float64Array.from([0.3, 0.3, 0.4], Math.log);
  expect(sumOfProbabilities(await logProb(mixture, combinations(values).flat()))).toBeCloseTo(1, 12);
  const logJoint = async (rows: number[][], known: readonly number[], d: number) => {
    const ofMade = await logJointOf(made, rows, known, d);
    const others = await Promise.all(
      [classes, kernels].map((member) => logProbKnown(member, rows, [...known, d])),
    );
    return ofMade.map((value, n) =>
      Math.log(0.3 * Math.exp(value) + 0.3 * Math.exp(others[0][n]) + 0.4 * Math.exp(others[1][n])),
    );
  };
  for (const known of [[], [0], [0, 2]])
    await expectConditionalDraws(mixture, [1, 0, 3], known, values, logJoint);
});

test("given values that are impossible under one member, a mixture is that of the others", async () => {
  const impossible = new LatentClasses({ columns: [withGaps, lattice], classes: 2 }, new Random(1));
  const possible = randomMade(2, [{ ...withGaps, unseen: 0.01 }, lattice]);
  const mixture = new Mixture([impossible, possible]);
  // The code of a category that training did not see.
  const rows = values[2].map((cell) => [2, cell]);
  expect(await logProbKnown(impossible, rows, [0])).toEqual(rows.map(() => Number.NEGATIVE_INFINITY));
  await expectConditionalDensities(mixture, rows, [[0]]);
});

describe("which distributions have subsets", () => {
  const anyOrder = randomMade(1, [continuous, continuous]);
  const fixedOrder = new MixedMade({ columns: [continuous, continuous], anyOrder: false }, new Random(0));

  test("follows from the options and the parts", () => {
    expect(isSubsetDistribution(anyOrder)).toBe(true);
    expect(isSubsetDistribution(new Mixture([anyOrder, anyOrder]))).toBe(true);
    expect(isSubsetDistribution(fixedOrder)).toBe(false);
    expect(isSubsetDistribution(new Mixture([anyOrder, fixedOrder]))).toBe(false);
    expect(isSubsetDistribution(new StandardNormal({ features: 2 }))).toBe(false);
  });

  test("is checked when a subset is asked for", () => {
    expect(() =>
      asSubsetDistribution(new StandardNormal({ features: 2 })),
    ).toThrowErrorMatchingInlineSnapshot(`
      [PushforwardError: the distribution has no exact marginal distributions of subsets of features: received "standardNormal".
      Fit the default model of a table, or use MixedMade with anyOrder, LatentClasses, MixedGaussianMixture, KernelDensity, or a Mixture of these.]
    `);
    const ask = (distribution: MixedMade | Mixture) => () =>
      compile(
        (x, known, positions) => distribution.logProbKnown(x, { known, positions }),
        [["N", 2], [2], [2]],
      );
    expect(ask(fixedOrder)).toThrow("the distribution has no exact marginal distributions");
    expect(ask(new Mixture([anyOrder, fixedOrder]))).toThrow(
      "the distribution has no exact marginal distributions",
    );
  });
});

test("a category that training did not see counts as present", async () => {
  const made = randomMade(4, [{ ...withGaps, unseen: 0.01 }, continuous]);
  const { logPresent } = await conditionalOf(made, 0, [[0, 0.7]], [1]);
  const present = logPresent[0];
  const joint = await Promise.all(
    [0, 1, 2, Number.NaN].map(async (value) => await conditionalOfFirst(made, value, 0.7)),
  );
  expect(Math.exp(present)).toBeCloseTo(joint[0] + joint[1] + joint[2], 12);
  expect(joint[3]).toBeCloseTo(1 - Math.exp(present), 12);
});

/** p(x_0 | x_1). */
async function conditionalOfFirst(made: MixedMade, first: number, second: number): Promise<number> {
  const run = compile((x) => made.conditionals(x, [1, 0]).transpose(), [["N", 2]], { precision: "float64" });
  return Math.exp((await run([first, second]))[0]);
}
