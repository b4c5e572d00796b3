import type { Random } from "../random/index.ts";
import type { Shape } from "./shape.ts";
import { input, type Tensor } from "./tensor.ts";

/** Numbers that are drawn anew for every batch while a flow is trained. */
export interface Drawn {
  readonly tensor: Tensor;
  /** True if each row has its own, [N, ...]; otherwise all rows of the batch share them. */
  readonly byRow: boolean;
  /** Writes those of rows `first` on of the batch, as many as there is room for, or those that all share. */
  fill(random: Random, values: Float32Array | Float64Array, first: number): void;
}

let collecting: Drawn[] | undefined;

/** Whether what is traced is the loss of a training step. */
export const isTraining = (): boolean => collecting !== undefined;

/**
 * Traces the loss of a training step: inside, `isTraining` holds and `drawForRows` and `drawForBatch` give tensors. Gives what
 * was drawn too, which becomes inputs of the graph.
 */
export function traceTraining<T>(build: () => T): { traced: T; drawn: readonly Drawn[] } {
  const outer = collecting;
  const drawn: Drawn[] = [];
  collecting = drawn;
  try {
    return { traced: build(), drawn };
  } finally {
    collecting = outer;
  }
}

/** Standard normal or uniform numbers [N, size], other ones in every batch. Only while `isTraining`. */
export function drawForRows(kind: "normal" | "uniform", size: number): Tensor {
  return register({
    tensor: input(`drawn${collecting!.length}`, ["N", size]),
    byRow: true,
    fill: (random, values, first) => random[kind](values, { offset: first * size }),
  });
}

/** Numbers of this shape that all rows share, other ones in every batch. Only while `isTraining`. */
export function drawForBatch(shape: Shape, draw: (random: Random) => ArrayLike<number>): Tensor {
  return register({
    tensor: input(`drawn${collecting!.length}`, shape),
    byRow: false,
    fill: (random, values) => values.set(draw(random)),
  });
}

function register(drawn: Drawn): Tensor {
  collecting!.push(drawn);
  return drawn.tensor;
}
