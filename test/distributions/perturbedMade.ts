import { Made, type MadeOptions } from "../../src/distributions/index.ts";
import { parametersOf } from "../../src/nn/module.ts";
import { Random } from "../../src/random/index.ts";
import { perturb } from "../nn/perturb.ts";

export function perturbedMade(options: MadeOptions, scale = 0.5): Made {
  const made = new Made(options, new Random(2));
  perturb(parametersOf(made), scale);
  return made;
}

/** All 2^D rows of D bits in lexicographic order. */
export const allBits = (D: number): Float64Array =>
  Float64Array.from({ length: D * 2 ** D }, (_, i) => (Math.floor(i / D) >> (D - 1 - (i % D))) & 1);
