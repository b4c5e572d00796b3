import { PushforwardError } from "../errors.ts";
import type { Parameter } from "../graph/parameter.ts";
import { FlatParameters } from "./flatParameters.ts";
import { RunningStatistics } from "./runningStatistics.ts";

/** What `Weights.snapshot` keeps. */
export interface Snapshot {
  readonly values: Float32Array;
  readonly average: Float32Array;
  readonly running: Float32Array;
}

/** Parameters that a training changes at this moment. */
const inTraining = new WeakSet<Parameter>();

/**
 * Reserves the trainable parameters for one training; gives the function that ends it.
 *
 * @throws ARGUMENT when another training has one of them.
 */
export function reserve(parameters: ReadonlyMap<string, Parameter>): () => void {
  const trainable = [...parameters].filter(([, parameter]) => parameter.trainable);
  const taken = trainable.find(([, parameter]) => inTraining.has(parameter));
  if (taken) {
    throw new PushforwardError("ARGUMENT", `the parameter ${taken[0]} is being trained already`, {
      expected: "one training of a model at a time",
      hint: "Wait for the other training to end.",
    });
  }
  for (const [, parameter] of trainable) inTraining.add(parameter);
  return () => {
    for (const [, parameter] of trainable) inTraining.delete(parameter);
  };
}

/**
 * The weights that a training changes: the trainable parameters in a flat buffer with a moving average behind them, and the
 * running statistics.
 */
export class Weights {
  readonly trainable: ReadonlyMap<string, Parameter>;
  readonly flat: FlatParameters;
  readonly running: RunningStatistics;
  /** Whether training gives the moving average, and not the last values. */
  readonly averaged: boolean;

  /** Up to `threads` threads compute gradients. The parameters become views of shared buffers until `release`. */
  constructor(parameters: ReadonlyMap<string, Parameter>, averaged: boolean, threads: number) {
    this.trainable = new Map([...parameters].filter(([, { trainable }]) => trainable));
    this.running = new RunningStatistics(parameters);
    // Running statistics are those of the whole batch, so one thread must have all of it.
    const parts = this.running.parameters.length > 0 ? 1 : threads;
    this.flat = new FlatParameters(this.trainable, parts);
    this.averaged = averaged;
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

  /** The weights that training would give now, with the running statistics that belong to them. */
  result(): Pick<Snapshot, "values" | "running"> {
    const { flat, running } = this;
    return { values: (this.averaged ? flat.average : flat.values).slice(), running: running.copy() };
  }

  /** Sets the weights to what `result` gave. */
  assign({ values, running }: Pick<Snapshot, "values" | "running">): void {
    this.flat.assign(values);
    this.running.set(running);
  }

  /** Computes something with the weights that training would give now. */
  async withResult<T>(compute: () => Promise<T>): Promise<T> {
    if (!this.averaged) return compute();
    const { flat } = this;
    const current = flat.values.slice();
    flat.assign(flat.average);
    try {
      return await compute();
    } finally {
      flat.assign(current);
    }
  }

  /** Gives the parameters arrays of their own again. */
  release(): void {
    this.flat.detach();
  }
}
