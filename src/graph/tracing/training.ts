import type { Random } from "../../random/index.ts";
import type { Parameter } from "../parameter.ts";
import type { Shape } from "../shape.ts";
import { input, type Tensor } from "../tensor.ts";

/** The random numbers of a training step. */
export interface RandomSource {
  readonly random: Random;
  /** The number of the step, counted from 0. */
  readonly step: number;
}

/** An input of a traced loss whose numbers are drawn for every batch. */
export interface RandomInput {
  readonly tensor: Tensor;
  /** True if each row has its own numbers, [N, ...]; false if all rows of a batch share them. */
  readonly perRow: boolean;
  /** Fills `values` with the numbers of consecutive rows of the batch, from row `firstRow` on, or with the shared numbers. */
  fill(source: RandomSource, values: Float32Array | Float64Array, firstRow: number): void;
}

/** What is recorded while a loss is traced. */
interface TraceState {
  readonly training: boolean;
  readonly batchStatistics: boolean;
  readonly randomInputs: RandomInput[];
  /** The one-hot variant of each batch, by the number of variants. */
  readonly variants: Map<number, Tensor>;
  readonly updates: Map<Parameter, Tensor>;
}

let state: TraceState | undefined;

/** Whether the loss of a training step is being traced. */
export const isTraining = (): boolean => state?.training ?? false;

/** Whether layers compute statistics of the batch, as batch normalization does in training. */
export const usesBatchStatistics = (): boolean => state?.batchStatistics ?? false;

export interface TracedTraining<T> {
  readonly result: T;
  /** The random inputs that the result depends on, to become inputs of the graph. */
  readonly randomInputs: readonly RandomInput[];
  /** Running statistics and their values after the step. */
  readonly updates: ReadonlyMap<Parameter, Tensor>;
}

/**
 * Traces the loss of a training step. Within `build`, `isTraining` is true and random inputs can be drawn; with
 * `batchStatistics`, for losses over a whole batch of data, so is `usesBatchStatistics`. With `training: false` a loss that is
 * only evaluated is traced: it can draw random inputs, but both are false.
 */
export function traceTraining<T>(
  build: () => T,
  { batchStatistics = false, training = true } = {},
): TracedTraining<T> {
  const outer = state;
  const current: TraceState = {
    training,
    batchStatistics: training && batchStatistics,
    randomInputs: [],
    variants: new Map(),
    updates: new Map(),
  };
  state = current;
  try {
    return { result: build(), randomInputs: current.randomInputs, updates: current.updates };
  } finally {
    state = outer;
  }
}

/** Standard normal or uniform numbers [N, size], drawn for every batch. Call it only within `traceTraining`. */
export function drawForRows(distribution: "normal" | "uniform", size: number): Tensor {
  return addRandomInput({
    tensor: input(nextName(), ["N", size]),
    perRow: true,
    fill: ({ random }, values, firstRow) => random[distribution](values, { offset: firstRow * size }),
  });
}

/** Random signs, -1 or +1 with probability 1/2, [N, size], drawn for every batch. Call it only within `traceTraining`. */
export const drawRademacher = (size: number): Tensor => drawForRows("uniform", size).sub(0.5).sign();

/** Numbers of this shape, drawn for every batch and shared by all rows. Call it only within `traceTraining`. */
export function drawForBatch(shape: Shape, draw: (source: RandomSource) => ArrayLike<number>): Tensor {
  return addRandomInput({
    tensor: input(nextName(), shape),
    perRow: false,
    fill: (source, values) => values.set(draw(source)),
  });
}

/** Sets a running statistic to a value after the step. Call it only while `usesBatchStatistics()`. */
export function updateAfterStep(parameter: Parameter, value: Tensor): void {
  state!.updates.set(parameter, value);
}

/**
 * The mask variant that a batch trains, one-hot [count]; steps take the variants in turn. Modules with the same number of
 * variants share it. Call it only within `traceTraining`.
 */
export function variantOfBatch(count: number): Tensor {
  const { variants } = state!;
  const existing = variants.get(count);
  if (existing) return existing;
  const variant = drawForBatch([count], ({ step }) =>
    Float64Array.from({ length: count }, (_, i) => (i === step % count ? 1 : 0)),
  );
  variants.set(count, variant);
  return variant;
}

const nextName = () => `drawn${state!.randomInputs.length}`;

function addRandomInput(randomInput: RandomInput): Tensor {
  state!.randomInputs.push(randomInput);
  return randomInput.tensor;
}
