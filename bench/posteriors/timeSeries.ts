import { stack, type Tensor } from "../../src/graph/index.ts";
import {
  data,
  interval,
  logProb,
  model,
  positive,
  positiveOrdered,
  real,
  simplex,
  vector,
} from "../../src/inference/index.ts";
import type { Posterior } from "./posterior.ts";

/** Element k of a vector [N, K]: [N]. */
const element = (values: Tensor, k: number): Tensor => values.slice(1, k, k + 1).sum(1);

export const timeSeries: Readonly<Record<string, Posterior>> = {
  // y_t ~ N(alpha + sum_k beta_k y_t-k, sigma^2)
  "arK-arK": {
    model: ({ K, y }: { K: number; y: number[] }) => {
      const lags = data(y.slice(K).map((_, t) => Array.from({ length: K }, (_, k) => y[K + t - 1 - k])));
      return model({ alpha: real(), beta: vector(K), sigma: positive() }, ({ alpha, beta, sigma }) => [
        logProb.normal(alpha, 0, 10),
        logProb.normal(beta, 0, 10),
        logProb.halfCauchy(sigma, 2.5),
        logProb.normal(y.slice(K), alpha.add(beta.matmul(lags, { transposeB: true })), sigma),
      ]);
    },
  },
  // err_t = y_t - mu - phi y_t-1 - theta err_t-1 ~ N(0, sigma^2)
  "arma-arma11": {
    model: ({ y }: { y: number[] }) =>
      model({ mu: real(), phi: real(), theta: real(), sigma: positive() }, ({ mu, phi, theta, sigma }) => {
        let error = mu.add(phi.mul(mu)).neg().add(y[0]);
        const errors = [error];
        for (let t = 1; t < y.length; t++) {
          error = mu
            .add(phi.mul(y[t - 1]))
            .add(theta.mul(error))
            .neg()
            .add(y[t]);
          errors.push(error);
        }
        return [
          logProb.normal(mu, 0, 10),
          logProb.normal(phi, 0, 2),
          logProb.normal(theta, 0, 2),
          logProb.halfCauchy(sigma, 2.5),
          logProb.normal(stack(errors, 1), 0, sigma),
        ];
      }),
  },
  // sigma_t^2 = alpha0 + alpha1 (y_t-1 - mu)^2 + beta1 sigma_t-1^2
  "garch-garch11": {
    model: ({ y, sigma1 }: { y: number[]; sigma1: number }) =>
      model(
        {
          mu: real(),
          alpha0: positive(),
          alpha1: interval(0, 1),
          beta1: interval(0, ({ alpha1 }) => alpha1.neg().add(1)),
        },
        ({ mu, alpha0, alpha1, beta1 }) => {
          let variance: Tensor = mu.mul(0).add(sigma1 ** 2);
          const variances = [variance];
          for (let t = 1; t < y.length; t++) {
            const shock = mu.sub(y[t - 1]).square();
            variance = alpha0.add(alpha1.mul(shock)).add(beta1.mul(variance));
            variances.push(variance);
          }
          return [logProb.normal(y, mu, stack(variances, 1).sqrt())];
        },
      ),
  },
  // Two states with means mu_k, by the forward algorithm.
  "hmm_example-hmm_example": {
    model: ({ y }: { y: number[] }) =>
      model({ theta1: simplex(2), theta2: simplex(2), mu: positiveOrdered(2) }, ({ theta1, theta2, mu }) => {
        const logTransitions = stack([theta1, theta2], 1).log();
        let forward = logProb.normal(y[0], mu, 1);
        for (const value of y.slice(1)) {
          const joint = forward.reshape(["N", 2, 1]).add(logTransitions);
          forward = joint.logsumexp(1).add(logProb.normal(value, mu, 1));
        }
        return [
          logProb.normal(element(mu, 0), 3, 1),
          logProb.normal(element(mu, 1), 10, 1),
          forward.logsumexp(1),
        ];
      }),
  },
};
