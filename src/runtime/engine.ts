import type { Env, InferenceSession, InferenceSessionFactory, TensorConstructor } from "onnxruntime-common";

export interface EngineOptions {
  /** Execution providers in order of preference, such as `cuda`, `webgpu`, `wasm`; the CPU if absent. */
  providers?: readonly string[];
  /** Threads inside one operation. Default 1: small products gain nothing from more. */
  threads?: number;
}

interface Engine {
  readonly InferenceSession: InferenceSessionFactory;
  readonly Tensor: TensorConstructor;
  readonly env: Env;
}

let engine: Promise<Engine> | undefined;

/** ONNX Runtime for this place: the native one in Node, WebAssembly in a page. Loaded when first used. */
export function loadEngine(): Promise<Engine> {
  engine ??= import("#onnxruntime").then((module) => (module.default ?? module) as Engine);
  return engine;
}

export function sessionOptions({ providers, threads = 1 }: EngineOptions): InferenceSession.SessionOptions {
  return {
    ...(providers && { executionProviders: [...providers] }),
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    executionMode: "sequential",
    graphOptimizationLevel: "all",
    logSeverityLevel: 3,
  };
}
