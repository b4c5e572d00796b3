import type { Env, InferenceSession, InferenceSessionFactory, TensorConstructor } from "onnxruntime-common";
import type { Graph } from "../graph/graph.ts";
import type { Precision } from "../onnx/export.ts";
import type { EngineOptions } from "./engineOptions.ts";
import { hasWorkerThreads } from "./thread.ts";

export interface Engine {
  readonly InferenceSession: InferenceSessionFactory;
  readonly Tensor: TensorConstructor;
}

/** Whether results can go straight into the arrays of the caller: in Node. WebAssembly has a memory of its own. */
export const writesInPlace = hasWorkerThreads;

const engines = new Map<string, Promise<Engine>>();

/**
 * ONNX Runtime for this place: the native one in Node, WebAssembly in a page. Loaded when first used, and in a page only the
 * variant that the providers need: the one with WebGPU is twice as large.
 */
export function loadEngine(options: EngineOptions): Promise<Engine> {
  const variant = options.providers?.includes("webgpu") ? "webgpu" : "wasm";
  const engine = engines.get(variant) ?? load(variant, options.threads ?? 1);
  engines.set(variant, engine);
  return engine;
}

async function load(variant: "wasm" | "webgpu", threads: number): Promise<Engine> {
  const module = await (variant === "webgpu" ? import("#onnxruntime/webgpu") : import("#onnxruntime"));
  const { InferenceSession, Tensor, env } = (module.default ?? module) as Runtime;
  // WebAssembly has one pool of threads for all sessions, made with the first. The native runtime ignores this.
  env.wasm.numThreads = threads;
  return { InferenceSession, Tensor };
}

interface Runtime {
  readonly InferenceSession: InferenceSessionFactory;
  readonly Tensor: TensorConstructor;
  readonly env: Env;
}

/**
 * Up to this many nodes the runtime optimizes a graph, which saves up to a fifth of a run's time. It goes over all nodes some
 * hundred times for it: for the long inversions that are larger it takes seconds, three quarters of the preparation, and
 * gains nothing that was measured.
 */
const OPTIMIZED_NODES = 10_000;

export function sessionOptions(
  { providers, threads = 1, precision }: EngineOptions & { precision?: Precision },
  graph: Graph,
): InferenceSession.SessionOptions {
  return {
    ...(providers && { executionProviders: [...providers] }),
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    executionMode: "sequential",
    graphOptimizationLevel: graph.nodes.length > OPTIMIZED_NODES ? "disabled" : "all",
    logSeverityLevel: 3,
    extra: {
      optimization: {
        disable_specified_optimizers: [
          // It would turn the products of `contractLeading` round again.
          "GemmTransposeFusion",
          // They would transpose all that is computed from a transpose in place of what it is made of.
          "TransposeOptimizer",
          "TransposeOptimizer_CPUExecutionProvider",
          // It keeps the factor of a product of matrices in float32.
          ...(precision === "float64" ? ["MatMulScaleFusion"] : []),
        ].join(";"),
      },
    },
  };
}
