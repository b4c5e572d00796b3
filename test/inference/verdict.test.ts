import { describe, expect, test } from "vitest";
import type { Refinement } from "../../src/inference/refine.ts";
import type { ParameterSummary } from "../../src/inference/summary.ts";
import { verdictOf } from "../../src/inference/verdict.ts";
import type { ImportanceResult } from "../../src/train/index.ts";

const importance: ImportanceResult = {
  samples: new Float64Array(0),
  logWeights: new Float64Array(0),
  elbo: 0,
  standardError: 0,
  logNormalizer: 0,
  logNormalizerError: 0,
  effectiveSampleSize: 9000,
  paretoShape: 0.3,
  missedMass: 0,
  missedMassError: 0,
  warnings: [],
};
const refinement: Refinement = {
  rows: new Float64Array(0),
  chains: 8,
  iterations: 4000,
  divergences: 3,
  saturated: 0,
  evaluations: 100_000,
};
const mu: ParameterSummary = {
  ...{ name: "mu", mean: 0, sd: 1, q5: -1.6, median: 0, q95: 1.6 },
  ...{ rHat: 1.001, bulkEffectiveSampleSize: 4000, tailEffectiveSampleSize: 3000 },
};
const constant = { ...mu, name: "L[0,0]", rHat: Number.NaN, bulkEffectiveSampleSize: Number.NaN };
const heavy: ImportanceResult = {
  ...importance,
  paretoShape: 0.9,
  warnings: ["A few weights are far larger than the others."],
};

describe("the verdict", () => {
  test("is reliable if nothing speaks against it, and ignores constants", () => {
    expect(verdictOf(importance, 0, "nuts", refinement, [mu, constant])).toEqual({
      verdict: "reliable",
      reasons: [],
    });
  });

  test("recommends the chains if the weights are uneven, and nothing without chains", () => {
    expect(verdictOf(heavy, 0, "nuts", refinement, [mu])).toMatchInlineSnapshot(`
      {
        "reasons": [
          "A few weights are far larger than the others (paretoShape 0.90), so means of \`weighted\` are unreliable. Fit the flow for longer, or give it more layers.",
        ],
        "verdict": "use refined draws",
      }
    `);
    expect(verdictOf(heavy, 0, "none", undefined, [mu]).verdict).toBe("unreliable");
  });

  test("says which results include mass that the flow misses", () => {
    expect(verdictOf(importance, 0.034, "nuts", refinement, [mu])).toMatchInlineSnapshot(`
      {
        "reasons": [
          "The flow has almost no density on about 3.4% of the mass, or more. \`draws\` and \`logEvidence\` include this mass, \`weighted\` and \`elbo\` do not. Fit it for longer, or give it more layers or a base with heavier tails.",
        ],
        "verdict": "missed mass",
      }
    `);
    expect(verdictOf(importance, 0.034, "none", undefined, [mu])).toMatchInlineSnapshot(`
      {
        "reasons": [
          "The flow has almost no density on about 3.4% of the mass, or more. No result includes this mass. Fit it for longer, or give it more layers or a base with heavier tails.",
        ],
        "verdict": "missed mass",
      }
    `);
  });

  test("is unreliable for each problem of the chains", () => {
    const reasonsFor = (changes: Partial<Refinement>, summary: ParameterSummary) => {
      const { verdict, reasons } = verdictOf(importance, 0, "nuts", { ...refinement, ...changes }, [
        mu,
        summary,
      ]);
      expect(verdict).toBe("unreliable");
      return reasons;
    };
    const tau = { ...mu, name: "tau" };
    expect([
      reasonsFor({}, { ...tau, rHat: 1.05 }),
      reasonsFor({}, { ...tau, tailEffectiveSampleSize: 120 }),
      reasonsFor({ divergences: 200 }, tau),
      reasonsFor({ saturated: 300 }, tau),
    ]).toMatchInlineSnapshot(`
      [
        [
          "The chains disagree: R-hat of tau is 1.050, and should be below 1.01. Draw more, or if chains stay in different modes, fit the flow with more layers or annealing.",
        ],
        [
          "The chains are too short: the effective sample size of tau is 120, and should be at least 400. Draw more.",
        ],
        [
          "200 of 4000 trajectories diverged: the step size is too large for a part of the density, which the chains may leave out. Raise targetAcceptance, fit longer, or reparametrize the model.",
        ],
        [
          "300 of 4000 trajectories reached the largest depth: the chains move slowly. Fit longer, or raise maxDepth.",
        ],
      ]
    `);
  });
});
