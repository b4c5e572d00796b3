import type { Case } from "../speed/cases.ts";
import type { Axis, Curve, Quantity } from "./curves.ts";

/** The exponent that a curve should have far out, and the reason in one sentence. */
export interface Expectation {
  readonly exponent: number;
  readonly why: string;
}

const PASS = {
  exponent: 1,
  why: "only the first and the last layer grow with D; the layer between them, and what each operation costs by itself, do not.",
};
const LAYERS = { exponent: 1, why: "every transform does the same work, one after the other." };
const SQUARE = {
  exponent: 2,
  why: "the layer between hidden units has width x width weights; up to 512 units, wider layers are cut into more blocks, which leaves out more of what the mask forbids, and larger products run nearer to the peak.",
};

const TIME: Readonly<Record<Axis, (job: Case["job"], flow: string) => Expectation>> = {
  dimension: (job, flow) => {
    if (job !== "sample") return PASS;
    return flow === "maf"
      ? {
          exponent: 1,
          why: "the sweep computes each hidden unit once, and adds a fixed number of small operations for each feature.",
        }
      : {
          exponent: 1,
          why: "one pass, and the noise, of which each thread draws its part number by number.",
        };
  },
  width: () => SQUARE,
  depth: () => LAYERS,
  rows: () => ({ exponent: 1, why: "chunks of about 1,024 rows, all alike; few rows take a smaller chunk." }),
};

const MEMORY: Readonly<Record<Axis, (job: Case["job"], flow: string) => Expectation>> = {
  dimension: (job, flow) =>
    job === "sample" && flow === "maf"
      ? {
          exponent: 1,
          why: "the graph has a fixed number of nodes for each feature, and what came before is kept in parts until the last feature is known, with a copy of the narrow ones.",
        }
      : {
          exponent: 1,
          why: "weights, optimizer state and activations next to data and outputs grow with D.",
        },
  width: () => ({
    exponent: 2,
    why: "weights (in training also gradients, moments and averages) are width x width; the activations, rows x width, hold it below 2 until the width passes the rows of a chunk.",
  }),
  depth: (job) => ({
    exponent: 1,
    why:
      job === "train"
        ? "weights, and activations that are kept for the gradient, of every transform."
        : "weights of every transform; the activations of one are reused by the next.",
  }),
  rows: () => ({
    exponent: 0,
    why: "rows pass in chunks through fixed buffers, and results are written where they stay.",
  }),
};

export const expectation = (curve: Curve, quantity: Quantity): Expectation =>
  (quantity === "time" ? TIME : MEMORY)[curve.axis](curve.job, curve.flow);
