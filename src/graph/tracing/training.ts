import { PushforwardError } from "../../check/index.ts";
import type { Random } from "../../random/index.ts";
import type { Parameter } from "../parameter.ts";
import type { Shape } from "../shape.ts";
import { input, type Tensor } from "../tensor.ts";

// A loss is traced once, and its graph then runs for every batch. A random number that a module drew while it is traced would be
// the same in every batch, and a running statistic could not change. Therefore random numbers are inputs of the graph, which the
// training loop fills for each batch, and the new values of running statistics are additional outputs. This file records both.

/** What the numbers of random inputs are computed from, for one batch. */
export interface RandomSource {
  readonly random: Random;
  /** The number of the training step, counted from 0. It selects mask variants. */
  readonly step: number;
}

/** An input of the graph of a loss that is filled with new random numbers for every batch. */
export interface RandomInput {
  readonly tensor: Tensor;
  /** True if each row has its own numbers, [N, ...]; false if all rows of a batch share them. */
  readonly perRow: boolean;
  /**
   * Fills `values` completely. If `perRow`, these are the numbers of consecutive rows of the batch from `firstRow` on: each thread
   * computes a part of the batch, and the numbers of a row must not depend on how it is split. Otherwise they are the shared
   * numbers, and `firstRow` has no effect.
   */
  fill(source: RandomSource, values: Float32Array | Float64Array, firstRow: number): void;
}

/** What is recorded while a loss is traced. */
interface LossTrace {
  readonly training: boolean;
  readonly batchStatistics: boolean;
  readonly randomInputs: RandomInput[];
  /** Keyed by the number of mask variants of a module: the one-hot input that selects the variant of the batch. */
  readonly selectedVariants: Map<number, Tensor>;
  readonly updates: Map<Parameter, Tensor>;
}

/**
 * The loss that is being traced. It is a variable of the module because any layer may read it, and `logProb` and the methods of
 * bijections, which are called for many purposes, have no argument for it. Tracing is synchronous, so there is only one.
 */
let currentTrace: LossTrace | undefined;

/** Whether a loss is being traced, of a training step or of validation rows, so that random numbers can be drawn. */
export const isTracingLoss = (): boolean => currentTrace !== undefined;

/** Whether the loss of a training step is being traced, rather than an evaluation. */
export const isTraining = (): boolean => currentTrace?.training ?? false;

/** Whether layers such as batch normalization use the mean and variance of the batch instead of their running statistics. */
export const usesBatchStatistics = (): boolean => currentTrace?.batchStatistics ?? false;

export interface TracedLoss<T> {
  readonly result: T;
  /** The random inputs that were declared during the trace. The graph of the result must have them as inputs. */
  readonly randomInputs: readonly RandomInput[];
  /** Running statistics, and the tensors that compute their values after the step. */
  readonly updates: ReadonlyMap<Parameter, Tensor>;
}

export interface TraceLossOptions {
  /** True for a training step, false for an evaluation, such as that of validation rows. Default true. */
  training?: boolean | undefined;
  /**
   * Whether layers use statistics of the batch in a training step. It must be false if the rows are not data, because samples of the
   * flow, for example, have other statistics. Default false.
   */
  batchStatistics?: boolean | undefined;
}

/** Calls `build`, which returns a loss, and records the random inputs and updates of statistics that it declares. */
export function traceLoss<T>(
  build: () => T,
  { training = true, batchStatistics = false }: TraceLossOptions = {},
): TracedLoss<T> {
  const outer = currentTrace;
  const trace: LossTrace = {
    training,
    batchStatistics: training && batchStatistics,
    randomInputs: [],
    selectedVariants: new Map(),
    updates: new Map(),
  };
  currentTrace = trace;
  try {
    return { result: build(), randomInputs: trace.randomInputs, updates: trace.updates };
  } finally {
    currentTrace = outer;
  }
}

/** Declares standard normal or uniform numbers [N, size], new for every batch. Throws `ARGUMENT` unless a loss is being traced. */
export function drawForRows(distribution: "normal" | "uniform", size: number): Tensor {
  return addRandomInput({
    tensor: input(nextName(), ["N", size]),
    perRow: true,
    // The offset is the position in the stream of random numbers: row n always has the numbers from n * size on.
    fill: ({ random }, values, firstRow) => random[distribution](values, { offset: firstRow * size }),
  });
}

/** Declares random signs, -1 or +1 with probability 1/2, [N, size]. Throws `ARGUMENT` unless a loss is being traced. */
export const drawRademacher = (size: number): Tensor => drawForRows("uniform", size).sub(0.5).sign();

/**
 * Declares numbers of this shape that `draw` returns for every batch and all its rows share. Throws `ARGUMENT` unless a loss is being traced.
 */
export function drawForBatch(shape: Shape, draw: (source: RandomSource) => ArrayLike<number>): Tensor {
  return addRandomInput({
    tensor: input(nextName(), shape),
    perRow: false,
    fill: (source, values) => values.set(draw(source)),
  });
}

/** Records that a running statistic has this value after the step. Call it only while `usesBatchStatistics()`. */
export function updateAfterStep(parameter: Parameter, value: Tensor): void {
  currentTrace!.updates.set(parameter, value);
}

/**
 * Selects one of `count` mask variants (orderings or masks that share the weights of a module) for each batch: one-hot [count].
 * Steps use the variants one after the other. All modules with the same count get the same tensor, so that variant k of one layer is
 * trained with variant k of the other layers, as an `Ensemble` evaluates them. Call it only within `traceLoss`.
 */
export function variantOfBatch(count: number): Tensor {
  const { selectedVariants } = requireTrace();
  const existing = selectedVariants.get(count);
  if (existing) return existing;
  const selected = drawForBatch([count], ({ step }) =>
    Float64Array.from({ length: count }, (_, i) => (i === step % count ? 1 : 0)),
  );
  selectedVariants.set(count, selected);
  return selected;
}

function requireTrace(): LossTrace {
  if (currentTrace) return currentTrace;
  throw new PushforwardError("ARGUMENT", "random inputs can be declared only while a loss is traced", {
    hint: "Declare them only where isTraining() of pushforward/graph is true.",
  });
}

/** Names are unique in a trace. Each trace makes a graph of its own, so other traces may use the same ones. */
const nextName = () => `drawn${requireTrace().randomInputs.length}`;

function addRandomInput(randomInput: RandomInput): Tensor {
  requireTrace().randomInputs.push(randomInput);
  return randomInput.tensor;
}
