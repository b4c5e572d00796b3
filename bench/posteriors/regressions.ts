import type { Tensor } from "../../src/graph/index.ts";
import { type Constraint, data, logProb, model, positive, real, vector } from "../../src/inference/index.ts";
import type { Posterior } from "./posterior.ts";

/** Linear regression y ~ N(X beta, sigma^2) with a flat prior of beta, and terms of a prior of sigma. */
function regression(
  y: readonly number[],
  columns: readonly (readonly number[])[],
  sigmaPrior: (sigma: Tensor) => readonly Tensor[] = () => [],
) {
  const predictors = data(columns);
  const beta: Constraint = vector(columns.length);
  return model({ beta, sigma: positive() }, ({ beta, sigma }) => [
    ...sigmaPrior(sigma),
    logProb.normal(y, beta.matmul(predictors), sigma),
  ]);
}

const ones = (values: readonly unknown[]): number[] => values.map(() => 1);
const times = (a: readonly number[], b: readonly number[]): number[] => a.map((value, i) => value * b[i]);

export const regressions: Readonly<Record<string, Posterior>> = {
  "kidiq-kidscore_interaction": {
    model: ({ kid_score, mom_hs, mom_iq }: { kid_score: number[]; mom_hs: number[]; mom_iq: number[] }) =>
      regression(kid_score, [ones(kid_score), mom_hs, mom_iq, times(mom_hs, mom_iq)], (sigma) => [
        logProb.halfCauchy(sigma, 2.5),
      ]),
  },
  "earnings-logearn_interaction": {
    model: ({ earn, height, male }: { earn: number[]; height: number[]; male: number[] }) =>
      regression(earn.map(Math.log), [ones(earn), height, male, times(height, male)]),
  },
  "mesquite-logmesquite_logvash": {
    model: ({
      weight,
      diam1,
      diam2,
      canopy_height,
      total_height,
      group,
    }: {
      weight: number[];
      diam1: number[];
      diam2: number[];
      canopy_height: number[];
      total_height: number[];
      group: number[];
    }) => {
      const area = times(diam1, diam2);
      const columns = [
        ones(weight),
        times(area, canopy_height).map(Math.log),
        area.map(Math.log),
        diam1.map((value, i) => Math.log(value / diam2[i])),
        total_height.map(Math.log),
        group,
      ];
      return regression(weight.map(Math.log), columns);
    },
  },
  "nes1980-nes": {
    model: (
      d: Readonly<
        Record<
          "partyid7" | "real_ideo" | "race_adj" | "age_discrete" | "educ1" | "gender" | "income",
          number[]
        >
      >,
    ) => {
      const isAge = (group: number) => d.age_discrete.map((age) => (age === group ? 1 : 0));
      const columns = [
        ones(d.partyid7),
        d.real_ideo,
        d.race_adj,
        isAge(2),
        isAge(3),
        isAge(4),
        d.educ1,
        d.gender,
        d.income,
      ];
      return regression(d.partyid7, columns);
    },
  },
  "sblrc-blr": {
    model: ({ X, y }: { X: number[][]; y: number[] }) => {
      const predictors = data(X);
      return model({ beta: vector(X[0].length), sigma: positive() }, ({ beta, sigma }) => [
        logProb.normal(beta, 0, 10),
        logProb.normal(sigma, 0, 10),
        logProb.normal(y, beta.matmul(predictors, { transposeB: true }), sigma),
      ]);
    },
  },
  "kilpisjarvi_mod-kilpisjarvi": {
    model: ({
      x,
      y,
      pmualpha,
      psalpha,
      pmubeta,
      psbeta,
    }: {
      x: number[];
      y: number[];
      pmualpha: number;
      psalpha: number;
      pmubeta: number;
      psbeta: number;
    }) =>
      model({ alpha: real(), beta: real(), sigma: positive() }, ({ alpha, beta, sigma }) => [
        logProb.normal(alpha, pmualpha, psalpha),
        logProb.normal(beta, pmubeta, psbeta),
        logProb.normal(y, alpha.add(beta.mul(data(x))), sigma),
      ]),
  },
  "diamonds-diamonds": {
    model: ({ X, Y }: { X: number[][]; Y: number[] }) => {
      const count = X.length;
      const means = X[0].map((_, k) => X.reduce((sum, row) => sum + row[k] / count, 0));
      // Without the column of ones.
      const centered = data(X.map((row) => row.slice(1).map((value, k) => value - means[k + 1])));
      return model(
        { b: vector(X[0].length - 1), Intercept: real(), sigma: positive() },
        ({ b, Intercept, sigma }) => [
          logProb.normal(b, 0, 1),
          logProb.studentT(Intercept, 3, 8, 10),
          logProb.studentT(sigma, 3, 0, 10),
          logProb.normal(Y, Intercept.add(b.matmul(centered, { transposeB: true })), sigma),
        ],
      );
    },
  },
};
