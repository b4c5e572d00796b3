import type { Random } from "../../random/index.ts";
import type { Parameter } from "../parameter.ts";
import type { Shape } from "../shape.ts";
import { input, type Tensor } from "../tensor.ts";

/** Where a step draws from. */
export interface Draws {
  readonly random: Random;
  /** The number of the step, counted from 0. */
  readonly step: number;
}

/** Numbers that are drawn anew for every batch. */
export interface Drawn {
  readonly tensor: Tensor;
  /** True if each row has its own, [N, ...]; otherwise all rows of the batch share them. */
  readonly byRow: boolean;
  /** Writes those of rows `first` on of the batch, as many as there is room for, or those that all share. */
  fill(draws: Draws, values: Float32Array | Float64Array, first: number): void;
}

interface Recording {
  /** Whether what is traced is the loss of a training step, and not one that is only evaluated. */
  readonly training: boolean;
  readonly drawn: Drawn[];
  /** By the number of variants, one-hot. */
  readonly variants: Map<number, Tensor>;
  readonly updates: Map<Parameter, Tensor>;
  readonly ofData: boolean;
}

let recording: Recording | undefined;

/** Whether what is traced is the loss of a training step. */
export const isTraining = (): boolean => recording?.training ?? false;

/** Whether what is traced is the loss of a training step over a whole batch of data: statistics are then those of the batch. */
export const takesStatistics = (): boolean => recording?.ofData ?? false;

export interface TracedTraining<T> {
  readonly traced: T;
  readonly drawn: readonly Drawn[];
  /** What running statistics become after the step. */
  readonly updates: ReadonlyMap<Parameter, Tensor>;
}

/**
 * Traces the loss of a training step: inside, `isTraining` holds, `drawForRows` and `drawForBatch` give tensors, and over
 * rows of data, `takesStatistics` holds. Gives what was drawn too, which becomes inputs of the graph. With `training: false`
 * a loss is traced that is only evaluated: it may draw, but `isTraining` and `takesStatistics` do not hold.
 */
export function traceTraining<T>(
  build: () => T,
  { ofData = false, training = true } = {},
): TracedTraining<T> {
  const outer = recording;
  const own: Recording = {
    training,
    drawn: [],
    variants: new Map(),
    updates: new Map(),
    ofData: training && ofData,
  };
  recording = own;
  try {
    return { traced: build(), drawn: own.drawn, updates: own.updates };
  } finally {
    recording = outer;
  }
}

/** Standard normal or uniform numbers [N, size], other ones in every batch. Only inside `traceTraining`. */
export function drawForRows(kind: "normal" | "uniform", size: number): Tensor {
  return register({
    tensor: input(`drawn${recording!.drawn.length}`, ["N", size]),
    byRow: true,
    fill: ({ random }, values, first) => random[kind](values, { offset: first * size }),
  });
}

/** Signs, +1 or -1 alike, [N, size], other ones in every batch. Only inside `traceTraining`. */
export const drawSigns = (size: number): Tensor => drawForRows("uniform", size).sub(0.5).sign();

/** Numbers of this shape that all rows share, other ones in every batch. Only inside `traceTraining`. */
export function drawForBatch(shape: Shape, draw: (draws: Draws) => ArrayLike<number>): Tensor {
  return register({
    tensor: input(`drawn${recording!.drawn.length}`, shape),
    byRow: false,
    fill: (draws, values) => values.set(draw(draws)),
  });
}

/** Says what a parameter of running statistics becomes after the step. Only while `takesStatistics`. */
export function updateAfterStep(parameter: Parameter, value: Tensor): void {
  recording!.updates.set(parameter, value);
}

/** One-hot numbers [count] of the variant that a batch trains, in a cycle: parts of a model with as many variants share them. */
export function drawVariant(count: number): Tensor {
  const { variants } = recording!;
  const known = variants.get(count);
  if (known) return known;
  const drawn = drawForBatch([count], ({ step }) =>
    Float64Array.from({ length: count }, (_, i) => (i === step % count ? 1 : 0)),
  );
  variants.set(count, drawn);
  return drawn;
}

function register(drawn: Drawn): Tensor {
  recording!.drawn.push(drawn);
  return drawn.tensor;
}
