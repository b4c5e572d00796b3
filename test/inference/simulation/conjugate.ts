import { prior, simulator } from "../../../src/inference/index.ts";

/** Two measurements of a normal mu ~ N(0, 1) with this standard deviation: mu | x ~ N(sum x / (2 + sd^2), sd^2 / (2 + sd^2)). */
export const measurements = (sd: number) =>
  simulator({ mu: prior.normal(0, 1) }, ({ mu }, random) => random.normal(2).map((noise) => mu + sd * noise));

/** The mean and the standard deviation of the posterior. */
export const exactPosterior = (sd: number, observed: readonly number[]) => ({
  mean: observed.reduce((a, b) => a + b) / (observed.length + sd ** 2),
  sd: sd / Math.sqrt(observed.length + sd ** 2),
});
