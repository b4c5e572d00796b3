import type { InferenceSession } from "onnxruntime-common";
import type { Floats } from "../graph/index.ts";
import type { Precision } from "../onnx/index.ts";
import type { NoiseRequest } from "./noiseRequest.ts";

/** A graph to run in a worker thread. Its arrays are views of shared memory, which both threads keep. */
export interface GraphTask {
  readonly bytes: Uint8Array;
  /** Whether onnxruntime-node runs it, or onnxruntime-web. */
  readonly isNative: boolean;
  readonly options: InferenceSession.SessionOptions;
  readonly precision: Precision;
  readonly inputs: readonly NamedArray[];
  readonly outputs: readonly NamedArray[];
}

/** A WebAssembly module over shared memory. `calls` has the calls of each run, as `ParallelKernel` encodes them. */
export interface KernelTask {
  readonly code: Uint8Array;
  readonly memory: WebAssembly.Memory;
  readonly calls: Float64Array;
}

export interface NamedArray {
  readonly name: string;
  readonly array: Floats;
  readonly dims: readonly number[];
  /** Whether the first of `dims` is the largest number of rows of a run; a run with fewer rows uses the first ones. */
  readonly hasRows: boolean;
  /** Asks the worker thread to draw this input. Undefined for outputs. */
  readonly noiseRequest?: NoiseRequest;
}

export type WorkerThreads = typeof import("node:worker_threads");

/** Undefined in a page. */
export const builtinModule: NodeJS.Process["getBuiltinModule"] | undefined = (
  globalThis as { process?: NodeJS.Process }
).process?.getBuiltinModule;
/** Undefined in a page, where ONNX Runtime has threads of its own. */
export const workerThreads = builtinModule?.("node:worker_threads") as WorkerThreads | undefined;

/** True in Node, Bun and Deno. */
export const hasWorkerThreads = workerThreads !== undefined;

/** True if other threads see what is written to the array. ONNX Runtime refuses such arrays. */
export const isShared = ({ buffer }: Floats): boolean =>
  typeof SharedArrayBuffer !== "undefined" && buffer instanceof SharedArrayBuffer;

/** The number of threads that rows can be split among; 1 where there are no worker threads. */
export const availableThreads = (): number => builtinModule?.("node:os").availableParallelism() ?? 1;

let lastAction: Promise<unknown> = Promise.resolve();

/** Runs one action at a time: all callers use the same worker threads, and a thread takes one call at a time. */
export function runExclusive<T>(action: () => Promise<T>): Promise<T> {
  const result = lastAction.then(action, action);
  lastAction = result.catch(() => undefined);
  return result;
}

/** Imports the code that starts worker threads, which pages never load. */
export const loadWorkerTasks = () => import("./workerTasks.ts");
