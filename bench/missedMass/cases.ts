import { Invert } from "../../src/bijections/invert.ts";
import { LULinear } from "../../src/bijections/luLinear.ts";
import { StandardNormal } from "../../src/distributions/standardNormal.ts";
import { Flow, nsf, realNVP } from "../../src/flows/index.ts";
import { banana, cauchy, funnel, gaussian, studentT3, type Target, twoModes } from "./targets.ts";

/** A target density, and the flow that is fitted to it. */
export interface Case {
  readonly name: string;
  readonly target: Target;
  build(seed: number): Flow;
  readonly steps: number;
  /** Bound of the flow's splines, if it has any. */
  readonly bound?: number;
}

const splines = (features: number, bound: number) => ({
  bound,
  build: (seed: number) => nsf(features, { kind: "coupling", bound, hidden: [32, 32], transforms: 4, seed }),
});
const affine = (features: number) => ({
  build: (seed: number) => realNVP(features, { hidden: [32, 32], transforms: 4, seed }),
});
const linear = (features: number) => ({
  build: () => new Flow(new StandardNormal({ features }), new Invert(new LULinear({ features }))),
});
const long = { steps: 4000 };
const short = { steps: 2000 };

export const cases: readonly Case[] = [
  { name: "funnel, 2-D, splines to 8", target: funnel(2), ...splines(2, 8), ...short },
  { name: "funnel, 10-D, splines to 8", target: funnel(10), ...splines(10, 8), ...short },
  { name: "Gaussian, 2-D, splines to 8", target: gaussian(2), ...splines(2, 8), ...short },
  { name: "Cauchy, 2-D, splines to 8", target: cauchy(2), ...splines(2, 8), ...short },
  { name: "modes at ±4, 2-D, RealNVP", target: twoModes(2, 4), ...affine(2), ...short },
  { name: "modes at ±4, 10% in one, 2-D, RealNVP", target: twoModes(2, 4, 0.1), ...affine(2), ...short },
  { name: "modes at ±4, 10-D, RealNVP", target: twoModes(10, 4), ...affine(10), ...short },
  { name: "modes at ±40, 2-D, RealNVP", target: twoModes(2, 40), ...affine(2), ...short },
  { name: "Student t3, 2-D, linear", target: studentT3(2), ...linear(2), ...long },
  { name: "Cauchy, 2-D, linear", target: cauchy(2), ...linear(2), ...long },
  { name: "funnel, 2-D, RealNVP", target: funnel(2), ...affine(2), ...long },
  { name: "funnel, 10-D, RealNVP", target: funnel(10), ...affine(10), ...long },
  { name: "Gaussian, 2-D, splines to 40", target: gaussian(2), ...splines(2, 40), ...long },
  { name: "Gaussian, 10-D, linear", target: gaussian(10), ...linear(10), ...long },
  { name: "banana, RealNVP", target: banana, ...affine(2), ...long },
  { name: "banana, splines to 16", target: banana, ...splines(2, 16), ...long },
  { name: "modes at ±1.5, 2-D, RealNVP", target: twoModes(2, 1.5), ...affine(2), ...long },
];
