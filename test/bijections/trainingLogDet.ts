import type { Bijection } from "../../src/bijections/index.ts";
import { grad } from "../../src/graph/grad.ts";
import { concat, type Tensor } from "../../src/graph/tensor.ts";
import { type RandomInput, traceLoss } from "../../src/graph/tracing/training.ts";
import { trainableParameters } from "../../src/nn/module.ts";
import { compile } from "../../src/runtime/compile.ts";

const float64 = { precision: "float64" } as const;

/** The mean log-determinant of one direction over rows, and its gradients with respect to all parameters and to the rows. */
export function meanLogDet(bijection: Bijection, direction: "forward" | "inverse") {
  const parameters = [...trainableParameters(bijection).values()];
  return (x: Tensor) => {
    const mean = bijection[direction](x).logDet.mean();
    const gradients = grad(mean, parameters);
    const flat = gradients.map((g, i) => g.reshape([parameters[i].value.length]));
    return {
      logDet: mean,
      gradient: concat(flat, 0),
      byRow: grad(mean, [x])[0].sum(0),
    };
  };
}

/** `meanLogDet` as a training step computes it. `drawn` returns the random inputs of the step. */
export function compileTrainingStep(bijection: Bijection, direction: "forward" | "inverse") {
  let drawn: readonly RandomInput[] = [];
  const run = compile(
    (x) => {
      const traced = traceLoss(() => meanLogDet(bijection, direction)(x));
      drawn = traced.randomInputs;
      return traced.result;
    },
    [["N", bijection.features]],
    float64,
    { inputs: () => drawn.map(({ tensor }) => tensor) },
  );
  return { run, drawn: () => drawn };
}

/** All 2^D combinations of signs of D features, as the uniform numbers from which they are computed. */
export const signCombinations = (features: number) =>
  Float64Array.from(
    { length: 2 ** features * features },
    (_, i) => (Math.floor(i / features) >> (i % features)) & 1,
  );

/** `rows` copies of a row. */
export const repeatRow = (row: ArrayLike<number>, rows: number) =>
  Float64Array.from({ length: rows * row.length }, (_, i) => row[i % row.length]);
