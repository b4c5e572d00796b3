import { PushforwardError } from "../check/index.ts";
import type { Parameter } from "../graph/index.ts";
import { FlatParameters } from "./flatParameters.ts";
import { RunningStatistics } from "./runningStatistics.ts";

/** A copy of the weights, their moving average and the running statistics. */
export interface Snapshot {
  readonly values: Float32Array;
  readonly average: Float32Array;
  readonly running: Float32Array;
}

/** The parameters that are being trained now. */
const parametersInTraining = new WeakSet<Parameter>();

/**
 * Reserves the trainable parameters for one training run, and returns the function that ends the reservation.
 *
 * @throws ARGUMENT when one of them is being trained already.
 */
export function reserve(parameters: ReadonlyMap<string, Parameter>): () => void {
  const trainable = [...parameters].filter(([, parameter]) => parameter.trainable);
  const busy = trainable.find(([, parameter]) => parametersInTraining.has(parameter));
  if (busy) {
    throw new PushforwardError("ARGUMENT", `the parameter ${busy[0]} is being trained already`, {
      expected: "at most one training run of a model at a time",
      hint: "Wait until the other training ends.",
    });
  }
  for (const [, parameter] of trainable) parametersInTraining.add(parameter);
  return () => {
    for (const [, parameter] of trainable) parametersInTraining.delete(parameter);
  };
}

/** Throws `ARGUMENT` if no parameter of a model is trainable. */
export function requireTrainable(model: object, parameters: ReadonlyMap<string, Parameter>): void {
  if ([...parameters.values()].some(({ trainable }) => trainable)) return;
  throw new PushforwardError("ARGUMENT", "the model has no trainable parameters", {
    expected: "an object with trainable parameters in public properties",
    received: `an object of class ${model.constructor?.name ?? "?"}`,
    hint: "Give the objects whose parameters the loss reads, such as { encoder, decoder }.",
  });
}

/** The numbers that training changes: the trainable parameters and their moving average in a flat buffer, and the running statistics. */
export class Weights {
  readonly trainable: ReadonlyMap<string, Parameter>;
  readonly flat: FlatParameters;
  readonly running: RunningStatistics;
  /** Whether the result of training is the moving average of the weights instead of their last values. */
  readonly usesAverage: boolean;

  /** `threads` is the number of threads that compute gradients. Until `release`, the parameters are views of the flat buffer. */
  constructor(parameters: ReadonlyMap<string, Parameter>, usesAverage: boolean, threads: number) {
    this.trainable = new Map([...parameters].filter(([, { trainable }]) => trainable));
    this.running = new RunningStatistics(parameters);
    // The statistics of a batch are those of the rows of one thread, so a process computes all of its rows on one thread.
    const gradientThreads = this.running.parameters.length > 0 ? 1 : threads;
    this.flat = new FlatParameters(this.trainable, gradientThreads);
    this.usesAverage = usesAverage;
  }

  snapshot(): Snapshot {
    const { flat, running } = this;
    return { values: flat.values.slice(), average: flat.average.slice(), running: running.copy() };
  }

  restore({ values, average, running }: Snapshot): void {
    this.flat.assign(values);
    this.flat.average.set(average);
    this.running.set(running);
  }

  /** A copy of the weights that would be the result of training now, and of the running statistics. */
  result(): Pick<Snapshot, "values" | "running"> {
    const { flat, running } = this;
    return { values: (this.usesAverage ? flat.average : flat.values).slice(), running: running.copy() };
  }

  /** Sets the weights to the values that `result` returned. */
  assign({ values, running }: Pick<Snapshot, "values" | "running">): void {
    this.flat.assign(values);
    this.running.set(running);
  }

  /** Calls `compute` while the parameters have the weights that would be the result of training now. */
  async withResult<T>(compute: () => Promise<T>): Promise<T> {
    if (!this.usesAverage) return compute();
    const { flat } = this;
    const current = flat.values.slice();
    flat.assign(flat.average);
    try {
      return await compute();
    } finally {
      flat.assign(current);
    }
  }

  /** Copies the parameters out of the flat buffer at once, so that it can be freed, and releases the worker threads that update the weights. */
  release(): Promise<void> {
    return this.flat.release();
  }
}
