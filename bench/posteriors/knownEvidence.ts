import { type Flow, nsf } from "../../src/flows/index.ts";
import type { Tensor } from "../../src/graph/tensor.ts";
import { model, type ProbabilisticModel, vector } from "../../src/inference/index.ts";
import { banana, cauchy, funnel, gaussian, studentT3, type Target, twoModes } from "../missedMass/targets.ts";
import { logDensities } from "../papers/energies.ts";
import { logNormalizer } from "../papers/planeQuadrature.ts";

/** A density whose integral is known, and the verdict that it should have. */
export interface KnownEvidence {
  readonly title: string;
  readonly model: ProbabilisticModel;
  /** Builds the flow for a seed. Default: the default flow of `infer`. */
  readonly flow?: (seed: number) => Flow;
  readonly logEvidence: number | Promise<number>;
  /**
   * `reliable`: easy for the default flow. `warning`: modes that the flow loses, splines that end too early or tails that no flow with a
   * normal base has, for which the verdict must not be `reliable`. `either`: depends on the seed.
   */
  readonly expected: "reliable" | "warning" | "either";
}

const density = (features: number, target: Target) =>
  model({ x: vector(features) }, ({ x }) => target(x)) as unknown as ProbabilisticModel;

/** Coupling splines that are the identity beyond 8, where the flow has almost no density. */
const splinesTo8 = (features: number) => (seed: number) =>
  nsf(features, { kind: "coupling", bound: 8, hidden: [32, 32], transforms: 4, seed });

/** exp(-(100 (x2 - x1^2)^2 + (1 - x1)^2) / 20) of Goodman and Weare (2010): x1 ~ N(1, 10), x2 | x1 ~ N(x1^2, 0.1), Z = 2 pi. */
const rosenbrock: Target = (x) => {
  const [a, b] = [x.slice(1, 0, 1), x.slice(1, 1, 2)];
  return b.sub(a.square()).square().mul(100).add(a.sub(1).square()).sum(1).div(-20);
};

/** The density of x / scale for x with the target density, so that starts within 2 of 0 are near its mass. */
const scaled =
  (features: number, target: Target, scale: number): Target =>
  (x: Tensor) =>
    target(x.mul(scale)).add(features * Math.log(scale));

export const knownEvidence: readonly KnownEvidence[] = [
  ...Object.entries(logDensities).map(
    ([name, logDensity]): KnownEvidence => ({
      title: `energy ${name}`,
      model: density(2, logDensity),
      logEvidence: logNormalizer(logDensity),
      expected: name === "U2" ? "reliable" : "either",
    }),
  ),
  { title: "Gaussian, 2-D", model: density(2, gaussian(2)), logEvidence: 0, expected: "reliable" },
  { title: "Gaussian, 50-D", model: density(50, gaussian(50)), logEvidence: 0, expected: "reliable" },
  { title: "banana", model: density(2, banana), logEvidence: 0, expected: "reliable" },
  {
    title: "Rosenbrock",
    model: density(2, rosenbrock),
    logEvidence: Math.log(2 * Math.PI),
    expected: "either",
  },
  { title: "funnel, 2-D", model: density(2, funnel(2)), logEvidence: 0, expected: "either" },
  { title: "funnel, 10-D", model: density(10, funnel(10)), logEvidence: 0, expected: "either" },
  { title: "modes at ±1.5", model: density(2, twoModes(2, 1.5)), logEvidence: 0, expected: "either" },
  { title: "Student t3, 2-D", model: density(2, studentT3(2)), logEvidence: 0, expected: "either" },
  { title: "Cauchy, 2-D", model: density(2, cauchy(2)), logEvidence: 0, expected: "warning" },
  { title: "modes at ±4", model: density(2, twoModes(2, 4)), logEvidence: 0, expected: "warning" },
  {
    title: "modes at ±4, 10% in one",
    model: density(2, twoModes(2, 4, 0.1)),
    logEvidence: 0,
    expected: "warning",
  },
  { title: "modes at ±4, 10-D", model: density(10, twoModes(10, 4)), logEvidence: 0, expected: "warning" },
  {
    title: "modes at ±2, narrow",
    model: density(2, scaled(2, twoModes(2, 20), 10)),
    logEvidence: 0,
    expected: "warning",
  },
  {
    title: "funnel, 2-D, splines to 8",
    model: density(2, funnel(2)),
    flow: splinesTo8(2),
    logEvidence: 0,
    expected: "warning",
  },
  {
    title: "funnel, 10-D, splines to 8",
    model: density(10, funnel(10)),
    flow: splinesTo8(10),
    logEvidence: 0,
    expected: "warning",
  },
  {
    title: "Gaussian, 2-D, splines to 8",
    model: density(2, gaussian(2)),
    flow: splinesTo8(2),
    logEvidence: 0,
    expected: "warning",
  },
];
