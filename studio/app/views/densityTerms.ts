import type { LatentTrajectories } from "../engine/messages.ts";

export interface DensityTerm {
  readonly name: string;
  /** In nats. */
  readonly value: number;
}

const NAMES: Readonly<Record<string, string>> = {
  standardize: "standardization",
  coupling: "coupling",
  autoregressive: "autoregressive layer",
  planar: "planar layer",
  radial: "radial layer",
  luLinear: "linear map",
  actnorm: "actnorm",
  diagonalScaling: "scaling",
  continuous: "continuous layer",
};

/** The name of layer k, counted from the base. */
export const layerName = (type: string, k: number): string =>
  `${NAMES[type] ?? type}${type === "standardize" ? "" : ` ${k + 1}`}`;

/** The log-density of a point as a sum: the log-density of the base, and the log-determinant of each layer from the base to the data. */
export function densityTerms({ baseLogDensity, logDets, layers }: LatentTrajectories): DensityTerm[] {
  // Positions and log-determinants are in order from data to latent space: the first is that of the last layer.
  const determinants = layers.map((type, k) => ({
    name: `log det, ${layerName(type, k)}`,
    value: logDets[layers.length - 1 - k]![0]!,
  }));
  return [{ name: "log p(z), base", value: baseLogDensity[0]! }, ...determinants];
}

/** The sums before and after each term, from 0 on. */
export function cumulativeSums(terms: readonly DensityTerm[]): number[] {
  const sums = [0];
  for (const { value } of terms) sums.push(sums.at(-1)! + value);
  return sums;
}
