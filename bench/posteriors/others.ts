import { cholesky, stack, type Tensor } from "../../src/graph/index.ts";
import {
  data,
  interval,
  logProb,
  model,
  ordered,
  positive,
  real,
  vector,
} from "../../src/inference/index.ts";
import type { Posterior } from "./posterior.ts";

const schools = (
  { mu, tau, theta }: Readonly<Record<"mu" | "tau" | "theta", Tensor>>,
  y: readonly number[],
  deviations: readonly number[],
) => [
  logProb.normal(mu, 0, 5),
  logProb.halfCauchy(tau, 5),
  logProb.normal(theta, mu, tau),
  logProb.normal(y, theta, deviations),
];

export const others: Readonly<Record<string, Posterior>> = {
  "eight_schools-eight_schools_noncentered": {
    title: "eight schools, centered",
    model: ({ y, sigma: deviations }: { y: number[]; sigma: number[] }) =>
      model({ mu: real(), tau: positive(), theta: vector(8) }, (parameters) =>
        schools(parameters, y, deviations),
      ),
  },
  "eight_schools-eight_schools_noncentered, non-centered": {
    title: "eight schools, non-centered",
    reference: "eight_schools-eight_schools_noncentered",
    model: ({ y, sigma: deviations }: { y: number[]; sigma: number[] }) =>
      model(
        {
          mu: real(),
          tau: positive(),
          theta: vector(8, real({ offset: ({ mu }) => mu, multiplier: ({ tau }) => tau })),
        },
        (parameters) => schools(parameters, y, deviations),
      ),
  },
  "gp_pois_regr-gp_regr": {
    model: ({ x, y }: { x: number[]; y: number[] }) => {
      const squares = data(x.map((a) => x.map((b) => (a - b) ** 2)));
      const identity = data(x.map((_, i) => x.map((_, j) => (i === j ? 1 : 0))));
      return model({ rho: positive(), alpha: positive(), sigma: positive() }, ({ rho, alpha, sigma }) => {
        const kernel = alpha.square().mul(squares.div(rho.square()).mul(-0.5).exp());
        return [
          logProb.gamma(rho, 25, 4),
          logProb.halfNormal(alpha, 2),
          logProb.halfNormal(sigma, 1),
          // sigma is a variance here, as in the Stan program.
          logProb.multivariateNormal(y, 0, cholesky(kernel.add(sigma.mul(identity)))),
        ];
      });
    },
  },
  "low_dim_gauss_mix-low_dim_gauss_mix": {
    model: ({ y }: { y: number[] }) =>
      model(
        { mu: ordered(2), sigma: vector(2, positive()), theta: interval(0, 1) },
        ({ mu, sigma, theta }) => {
          const [first, second] = [0, 1].map((k) =>
            logProb.normal(y, mu.slice(1, k, k + 1), sigma.slice(1, k, k + 1)),
          );
          return [
            logProb.halfNormal(sigma, 2),
            logProb.normal(mu, 0, 2),
            logProb.beta(theta, 5, 5),
            stack([theta.log().add(first), theta.neg().log1p().add(second)], 1).logsumexp(1),
          ];
        },
      ),
  },
};
