import { gaussian, integral } from "./gaussian.ts";

/**
 * A model with one latent variable: z is standard normal, and x given z is normal with the mean z + c (z² - 1) and a fixed standard
 * deviation. For c = 0 the posterior of z given x is normal.
 */
export interface LatentModel {
  readonly curvature: number;
  readonly x: number;
}

/** A normal distribution of z, which approximates the posterior. */
export interface Approximation {
  readonly mean: number;
  readonly deviation: number;
}

const NOISE = 0.5;
const BOUND = 6;

/** log p(x, z). */
const logJoint = ({ curvature, x }: LatentModel, z: number): number =>
  Math.log(gaussian(z, 0, 1)) -
  0.5 * ((x - z - curvature * (z * z - 1)) / NOISE) ** 2 -
  Math.log(NOISE * Math.sqrt(2 * Math.PI));

/** log p(x), the logarithm of the integral of p(x, z) over z. */
export const logEvidence = (model: LatentModel): number =>
  Math.log(integral((z) => Math.exp(logJoint(model, z)), -BOUND, BOUND));

/** The density of z given x, as a function of z. */
export function posterior(model: LatentModel): (z: number) => number {
  const evidence = logEvidence(model);
  return (z) => Math.exp(logJoint(model, z) - evidence);
}

/** The evidence lower bound E_q[log p(x, z) - log q(z)], which is KL(q || posterior) below log p(x). */
export function lowerBound(model: LatentModel, { mean, deviation }: Approximation): number {
  // In units of the standard deviation, so that narrow distributions are integrated as precisely as wide ones.
  const term = (u: number) => {
    const q = gaussian(u, 0, 1);
    return q * (logJoint(model, mean + deviation * u) - Math.log(q / deviation));
  };
  return integral(term, -8, 8, 120);
}

const ROUNDS = 6;
const GRID = 12;

/** The approximation with the largest bound: the best of a grid, and then of ever finer grids around it. */
export function bestApproximation(model: LatentModel): Approximation {
  let best: Approximation = { mean: 0, deviation: 0.85 };
  let largest = lowerBound(model, best);
  for (let round = 0; round < ROUNDS; round++) {
    const { mean, deviation } = best;
    const size = 0.4 ** round;
    for (let i = 0; i <= GRID; i++)
      for (let j = 0; j <= GRID; j++) {
        const candidate = {
          mean: mean + size * 3 * ((2 * i) / GRID - 1),
          deviation: Math.max(0.02, deviation + size * 0.8 * ((2 * j) / GRID - 1)),
        };
        const bound = lowerBound(model, candidate);
        if (bound > largest) [best, largest] = [candidate, bound];
      }
  }
  return best;
}
