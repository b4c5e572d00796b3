import type { Env, InferenceSession, InferenceSessionFactory, TensorConstructor } from "onnxruntime-common";
import { PushforwardError } from "../errors.ts";
import type { Graph } from "../graph/graph.ts";
import type { Precision } from "../onnx/export.ts";
import { chosenRuntime } from "./chosenRuntime.ts";
import type { EngineOptions } from "./engineOptions.ts";
import { hasWorkerThreads } from "./workerPool.ts";

/** A build of ONNX Runtime. */
export interface Engine {
  readonly InferenceSession: InferenceSessionFactory;
  readonly Tensor: TensorConstructor;
  /** True for onnxruntime-node, which can write results into arrays of the caller; WebAssembly has a memory of its own. */
  readonly isNative: boolean;
}

/** The exports of onnxruntime-node and of every entry point of onnxruntime-web. */
interface OnnxRuntime {
  readonly InferenceSession: InferenceSessionFactory;
  readonly Tensor: TensorConstructor;
  readonly env: Env;
}

/** A CommonJS module has its exports in `default`. */
type RuntimeModule = OnnxRuntime | { readonly default: OnnxRuntime };

let native: Promise<Engine> | undefined;
let wasm: Promise<Engine> | undefined;

/**
 * Loads ONNX Runtime at the first computation. In Node this is onnxruntime-node, or onnxruntime-web if onnxruntime-node cannot
 * be loaded or the provider `wasm` is asked for. In a page it is onnxruntime-web.
 */
export async function loadEngine({ providers = [], threads = 1 }: EngineOptions): Promise<Engine> {
  if (hasWorkerThreads && !providers.includes("wasm")) {
    native ??= loadNative().catch((error) => {
      console.warn(fallbackWarning(error));
      return loadWasm(threads);
    });
    return native;
  }
  if (!hasWorkerThreads && providers.includes("webgpu") && !chosenRuntime()) {
    throw new PushforwardError("ENGINE", "this page has no build of ONNX Runtime with WebGPU", {
      hint: 'import * as ort from "onnxruntime-web/webgpu", and pass it to useOnnxRuntime of pushforward/runtime.',
    });
  }
  return loadWasm(threads);
}

/** The execution providers of onnxruntime-node, such as `cpu`. Throws the error of its import if it cannot be loaded. */
export async function nativeProviders(): Promise<string[]> {
  const { listSupportedBackends } = (await import("#onnxruntime/native")) as unknown as {
    listSupportedBackends(): readonly { readonly name: string }[];
  };
  return listSupportedBackends().map(({ name }) => name);
}

async function loadNative(): Promise<Engine> {
  const { InferenceSession, Tensor } = exportsOf(await import("#onnxruntime/native"));
  return { InferenceSession, Tensor, isNative: true };
}

/** WebAssembly has one thread pool for all sessions, which the first session starts: later values of `threads` have no effect. */
function loadWasm(threads: number): Promise<Engine> {
  wasm ??= (async () => {
    const chosen = hasWorkerThreads ? undefined : (chosenRuntime() as RuntimeModule | undefined);
    const runtime: RuntimeModule = chosen ?? (await import("#onnxruntime/wasm"));
    const { InferenceSession, Tensor, env } = exportsOf(runtime);
    env.wasm.numThreads = threads;
    return { InferenceSession, Tensor, isNative: false };
  })();
  return wasm;
}

const exportsOf = (runtime: RuntimeModule): OnnxRuntime => ("default" in runtime ? runtime.default : runtime);

/**
 * The version is that of `optionalDependencies` in package.json. `--ignore-scripts` skips the package's download of CUDA
 * libraries, which fails on machines that reach only npm.
 */
const INSTALL_NATIVE = "npm install onnxruntime-node@1.30.0 --ignore-scripts";

export function fallbackWarning(error: Error): string {
  const isMissing = /Cannot find (package|module) 'onnxruntime-node'/.test(error.message);
  const what = isMissing ? "is not installed" : `cannot be loaded (${error.message.split("\n")[0]})`;
  const fix = isMissing ? ` To install it: ${INSTALL_NATIVE}` : "";
  return `pushforward: onnxruntime-node ${what}, so WebAssembly computes, 2 to 3 times slower.${fix}`;
}

/**
 * The runtime optimizes graphs of up to this many nodes, which saves up to a fifth of the time of a run. To do so, it visits all
 * nodes about a hundred times. For larger graphs, such as unrolled inverses, this takes seconds, three quarters of the time to
 * create a session, and no gain was measured.
 */
const MAX_OPTIMIZED_NODES = 10_000;

export function sessionOptions(
  { providers, threads = 1, precision }: EngineOptions & { precision?: Precision },
  graph: Graph,
): InferenceSession.SessionOptions {
  return {
    ...(providers && { executionProviders: [...providers] }),
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    executionMode: "sequential",
    graphOptimizationLevel: graph.nodes.length > MAX_OPTIMIZED_NODES ? "disabled" : "all",
    logSeverityLevel: 3,
    extra: {
      optimization: {
        disable_specified_optimizers: [
          // This one would undo the transposed products of `contractLeading`.
          "GemmTransposeFusion",
          // These two move transposes from the inputs of an operation to its output, which is larger.
          "TransposeOptimizer",
          "TransposeOptimizer_CPUExecutionProvider",
          // This one stores a scalar factor of a matrix product in float32.
          ...(precision === "float64" ? ["MatMulScaleFusion"] : []),
        ].join(";"),
      },
    },
  };
}
