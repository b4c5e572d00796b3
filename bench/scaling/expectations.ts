import type { Case } from "../speed/cases.ts";
import type { Axis, Curve, Quantity } from "./curves.ts";

/** The exponent that a curve should approach for large sizes, and the reason in one sentence. */
export interface Expectation {
  readonly exponent: number;
  readonly reason: string;
}

const LINEAR_IN_FEATURES = {
  exponent: 1,
  reason:
    "only the first and the last layer grow with D; the layer between them and the fixed cost of each operation do not.",
};
const LINEAR_IN_DEPTH = { exponent: 1, reason: "every transform does the same work, one after the other." };
const QUADRATIC_IN_WIDTH = {
  exponent: 2,
  reason:
    "the layer between hidden units has width x width weights; up to 512 units, wider layers are split into more blocks, which skips more masked weights, and larger products reach more of the peak.",
};

const TIME: Readonly<Record<Axis, (job: Case["job"], flow: string) => Expectation>> = {
  dimension: (job, flow) => {
    if (job !== "sample") return LINEAR_IN_FEATURES;
    return flow === "maf"
      ? {
          exponent: 1,
          reason:
            "the incremental inverse computes each hidden unit once, and adds a fixed number of small operations for each feature.",
        }
      : {
          exponent: 1,
          reason: "one pass, and the noise, which each thread draws for its rows.",
        };
  },
  width: () => QUADRATIC_IN_WIDTH,
  depth: () => LINEAR_IN_DEPTH,
  rows: () => ({
    exponent: 1,
    reason: "rows are processed in equal chunks of about 1,024; fewer rows make a smaller chunk.",
  }),
};

const MEMORY: Readonly<Record<Axis, (job: Case["job"], flow: string) => Expectation>> = {
  dimension: (job, flow) =>
    job === "sample" && flow === "maf"
      ? {
          exponent: 1,
          reason:
            "the graph has a fixed number of nodes for each feature, and the hidden units of all features are kept until the last feature is computed.",
        }
      : {
          exponent: 1,
          reason: "the weights, optimizer state and activations of the first and the last layer grow with D.",
        },
  width: () => ({
    exponent: 2,
    reason:
      "weights (in training also gradients, moments and averages) are width x width; the activations, rows x width, keep the exponent below 2 until the width exceeds the rows of a chunk.",
  }),
  depth: (job) => ({
    exponent: 1,
    reason:
      job === "train"
        ? "every transform has weights, and activations that are kept for the gradient."
        : "every transform has weights; the memory of activations is reused by the next transform.",
  }),
  rows: () => ({
    exponent: 0,
    reason:
      "chunks of rows pass through buffers of fixed size, and results are written to the output directly.",
  }),
};

export const expectation = (curve: Curve, quantity: Quantity): Expectation =>
  (quantity === "time" ? TIME : MEMORY)[curve.axis](curve.job, curve.flow);
