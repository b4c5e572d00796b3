import { describe, expect, test } from "vitest";
import { missedShare } from "../../src/inference/missedShare.ts";
import type { Refinement } from "../../src/inference/refine.ts";
import type { ParameterSummary } from "../../src/inference/summary.ts";
import { type VerdictInputs, verdictOf } from "../../src/inference/verdict.ts";
import type { ImportanceResult } from "../../src/train/index.ts";

const importance: ImportanceResult = {
  samples: new Float64Array(0),
  logWeights: new Float64Array(10_000).fill(-Math.log(10_000)),
  elbo: 0,
  standardError: 0,
  logNormalizer: 0,
  logNormalizerError: 0,
  effectiveSampleSize: 9000,
  paretoShape: 0.3,
  missedMass: 0,
  missedMassError: 0,
  isMissedMassSignificant: false,
  warnings: [],
};
const refinement: Refinement = {
  rows: new Float64Array(0),
  iterations: 4000,
  divergences: 3,
  divergedAt: undefined,
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
  effectiveSampleSize: 5000,
  paretoShape: 0.9,
};

const good: VerdictInputs = {
  weighted: importance,
  tailShare: 2e-4,
  missed: 0,
  kind: "nuts",
  refinement,
  divergedAt: undefined,
  summary: [mu],
  disagreement: undefined,
  evidence: {
    weighted: { logEvidence: -3, standardError: 0.001 },
    bridge: { logEvidence: -3.002, standardError: 0.001 },
  },
};
const withoutChains = { kind: "none", refinement: undefined, evidence: undefined } as const;
const diverging = {
  refinement: { ...refinement, divergences: 9 },
  divergedAt: "mu = 4.1, tau = 0.03",
};
const verdict = (changes: Partial<VerdictInputs>) => verdictOf({ ...good, ...changes });

describe("the verdict", () => {
  test("is reliable if nothing speaks against it, and ignores constants", () => {
    expect(verdict({ summary: [mu, constant] })).toEqual({ verdict: "reliable", reasons: [] });
    expect(verdict(withoutChains)).toEqual({ verdict: "reliable", reasons: [] });
  });

  test("recommends the chains if the weights are uneven, and nothing without chains", () => {
    expect(verdict({ weighted: heavy })).toMatchInlineSnapshot(`
      {
        "reasons": [
          "A few weights are far larger than the others (paretoShape 0.90), so means of \`weighted\` are unreliable. Fit the flow for longer, or give it more layers.",
        ],
        "verdict": "use refined draws",
      }
    `);
    expect(verdict({ tailShare: 0.03 }).verdict).toBe("use refined draws");
    expect(verdict({ weighted: heavy, ...withoutChains }).verdict).toBe("unreliable");
  });

  test("says which results include mass that the flow misses", () => {
    expect(verdict({ missed: 0.034 })).toMatchInlineSnapshot(`
      {
        "reasons": [
          "The flow has almost no density on about 3.4% of the mass, or more. \`draws\` and \`logEvidence\` include this mass, \`weighted\` and \`elbo\` do not. Fit it for longer, or give it more layers or a base with heavier tails.",
        ],
        "verdict": "missed mass",
      }
    `);
    expect(verdict({ missed: 0.034, ...withoutChains })).toMatchInlineSnapshot(`
      {
        "reasons": [
          "The flow has almost no density on about 3.4% of the mass, or more. No result includes this mass. Fit it for longer, or give it more layers or a base with heavier tails.",
        ],
        "verdict": "missed mass",
      }
    `);
  });

  test("does not take a small missed mass for significant because of a warning about large weights", () => {
    const small = {
      ...heavy,
      missedMass: 0.003,
      missedMassError: 0.001,
      warnings: ["A few weights are far larger"],
    };
    expect(missedShare(small, new Float64Array(100))).toBe(0);
    const significant = { ...small, missedMass: 0.006, isMissedMassSignificant: true };
    expect(missedShare(significant, new Float64Array(100))).toBe(0.006);
  });

  test("is unreliable for each problem of the chains", () => {
    const tau = { ...mu, name: "tau" };
    const problems: Partial<VerdictInputs>[] = [
      { summary: [mu, { ...tau, rHat: 1.05 }] },
      { summary: [mu, { ...tau, rHat: 1.01003 }] },
      { summary: [mu, { ...tau, bulkEffectiveSampleSize: 399.7 }] },
      {
        summary: [mu, { ...tau, tailEffectiveSampleSize: 120 }],
        refinement: { ...refinement, saturated: 300 },
      },
    ];
    expect(
      problems.map((problem) => {
        const { verdict: word, reasons } = verdict(problem);
        expect(word).toBe("unreliable");
        return reasons;
      }),
    ).toMatchInlineSnapshot(`
      [
        [
          "The chains disagree: R-hat of tau is 1.050, and should be at most 1.01. Draw more, or if chains stay in different modes, fit the flow with more layers or annealing.",
        ],
        [
          "The chains disagree: R-hat of tau is 1.01003, and should be at most 1.01. Draw more, or if chains stay in different modes, fit the flow with more layers or annealing.",
        ],
        [
          "The chains are too short: the effective sample size of tau is 399, and should be at least 400. Draw more.",
        ],
        [
          "The chains are too short: the effective sample size of tau is 120, and should be at least 400. Draw more.",
          "300 of 4000 trajectories reached the largest depth: the chains move slowly. Fit longer, or raise maxDepth.",
        ],
      ]
    `);
  });

  test("ignores only the effective sample size that is unknown", () => {
    const atBound = { ...mu, tailEffectiveSampleSize: Number.NaN };
    expect(verdict({ summary: [atBound, mu] }).verdict).toBe("reliable");
    for (const summary of [
      [{ ...atBound, bulkEffectiveSampleSize: 50 }, mu],
      [atBound, { ...mu, bulkEffectiveSampleSize: 50 }],
    ])
      expect(verdict({ summary }).reasons).toEqual([
        "The chains are too short: the effective sample size of mu is 50, and should be at least 400. Draw more.",
      ]);
  });

  test("does not blame long trajectories if the chains converged", () => {
    expect(verdict({ refinement: { ...refinement, saturated: 300 } }).verdict).toBe("reliable");
  });

  test("warns of tails if trajectories diverge and the weights confirm the rest, and otherwise of all", () => {
    expect(verdict(diverging)).toMatchInlineSnapshot(`
      {
        "reasons": [
          "9 of 4000 trajectories diverged, for example at mu = 4.1, tau = 0.03: the draws of the chains and of the flow may lack the mass beyond. The weights confirm the rest of the mass (paretoShape 0.30). Reparametrize the model, for example by real({ offset, multiplier }), raise targetAcceptance, or fit longer.",
        ],
        "verdict": "check tails",
      }
    `);
    expect(verdict({ ...diverging, weighted: heavy }).verdict).toBe("unreliable");
    expect(verdict({ ...diverging, missed: 0.05 }).verdict).toBe("unreliable");
  });

  test("is unreliable if chains and even weights disagree", () => {
    const disagreement = { name: "tau", coordinate: 1, chains: 0.05, weighted: 0.09, standardErrors: 6 };
    const evidence = { ...good.evidence!, bridge: { logEvidence: -2.9, standardError: 0.002 } };
    expect(verdict({ disagreement, evidence })).toMatchInlineSnapshot(`
      {
        "reasons": [
          "Chains and weighted draws disagree: 5.0% of the chains' draws and 9.0% of the weights are below the same value of tau, so one of them misses a part of the mass. Draw more, or fit the flow with more layers or annealing.",
          "Two estimates of the log-evidence disagree: -2.900 with the chains and -3.000 from the weights, which is more than their errors explain. Draw more, or fit the flow for longer.",
        ],
        "verdict": "unreliable",
      }
    `);
    // Uneven weights explain a difference.
    expect(verdict({ disagreement, evidence, weighted: heavy }).verdict).toBe("use refined draws");
  });
});
