import type { Env, InferenceSession, InferenceSessionFactory, TensorConstructor } from "onnxruntime-common";
import { type Graph, relu, sizeOf } from "../graph/index.ts";
import type { Precision } from "../onnx/index.ts";
import { chosenRuntime } from "./chosenRuntime.ts";
import { deviceProviders, type EngineOptions } from "./engineOptions.ts";
import { builtinModule, hasWorkerThreads } from "./workerPool.ts";

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

type SessionChoices = EngineOptions & { readonly precision?: Precision };

let native: Promise<Engine> | undefined;
let wasm: Promise<Engine> | undefined;
let chosenByPage: Promise<Engine> | undefined;
let nativeOrWasm: Promise<Engine> | undefined;

/** Imports the checks of execution providers and their error messages, which few pages need. */
export const loadDevices = () => import("./devices.ts");

/**
 * Loads ONNX Runtime at the first computation. In Node this is onnxruntime-node, or onnxruntime-web if onnxruntime-node cannot
 * be loaded or the provider `wasm` is asked for. In a page it is the build passed to `useOnnxRuntime`, or
 * onnxruntime-web/wasm by default and for float64. Throws `ENGINE` if a provider of a device was asked for, and onnxruntime-node (in
 * Node) or a build with WebGPU (in a page) is missing.
 */
export async function loadEngine({
  providers = [],
  threads = 1,
  precision,
}: SessionChoices): Promise<Engine> {
  const [device] = deviceProviders(providers);
  if (hasWorkerThreads && (device || !providers.includes("wasm"))) {
    native ??= loadNative();
    if (device) {
      return native.catch(async (error) => {
        throw (await loadDevices()).nativeIsMissing(device, error);
      });
    }
    nativeOrWasm ??= native.catch(async (error) => {
      console.warn((await loadDevices()).fallbackWarning(error));
      return loadWasm(threads);
    });
    return nativeOrWasm;
  }
  const chosen = hasWorkerThreads ? undefined : (chosenRuntime() as RuntimeModule | undefined);
  if (device === "webgpu" && !chosen) throw (await loadDevices()).webGpuIsMissing();
  // The builds with WebGPU have no operations in float64.
  if (!chosen || precision === "float64") return loadWasm(threads);
  chosenByPage ??= startWasm(chosen, threads);
  return chosenByPage;
}

async function loadNative(): Promise<Engine> {
  const { InferenceSession, Tensor } = exportsOf(await import("#onnxruntime/native"));
  return { InferenceSession, Tensor, isNative: true };
}

function loadWasm(threads: number): Promise<Engine> {
  wasm ??= startWasm(import("#onnxruntime/wasm"), threads);
  return wasm;
}

/** WebAssembly has one thread pool for all sessions, which the first session starts: later values of `threads` have no effect. */
async function startWasm(runtime: RuntimeModule | Promise<RuntimeModule>, threads: number): Promise<Engine> {
  const { InferenceSession, Tensor, env } = exportsOf(await runtime);
  env.wasm.numThreads = threads;
  return { InferenceSession, Tensor, isNative: false };
}

const exportsOf = (runtime: RuntimeModule): OnnxRuntime => ("default" in runtime ? runtime.default : runtime);

/**
 * The runtime optimizes graphs of up to this many nodes. Most of the gain, up to a fifth of the time of a run, comes from the values that depend
 * only on constants, which it computes in advance. For larger graphs, such as unrolled inverses, this takes seconds, and no gain was measured.
 */
const MAX_OPTIMIZED_NODES = 10_000;

/**
 * These optimizers take up to half of the time to create a session. They find little in our graphs, which are simplified already, and no graph
 * that was measured runs faster with them. The last one would also undo the transposed products of `contractLeading`.
 */
const NEEDLESS_OPTIMIZERS = [
  "CommonSubexpressionElimination",
  "ConstantSharing",
  "Level1_RuleBasedTransformer",
];

/**
 * In its first run, the runtime allocates tensors one by one. For later runs it plans one block, and also keeps the memory of the first run.
 * If a tensor has more numbers for each row than this, as in flows of images, later runs use the memory of the first run instead: a
 * training step of the multi-scale flow of bench/images with 64 undivided images takes 4% longer, and the process 2.0 instead of 3.3 GB.
 */
const MAX_PLANNED_NUMBERS_PER_ROW = 2 ** 13;

/** These optimizers move transposes from the inputs of an operation to its output, which is larger. */
const TRANSPOSE_OPTIMIZERS = ["TransposeOptimizer", "TransposeOptimizer_CPUExecutionProvider"];

/**
 * Whether a convolution is followed by a ReLU. If the transposes between them are moved, the runtime computes both at once, and keeps the result
 * in the NCHWc layout of the next convolution. Drawing 64 images from a Glow took 50 instead of 58 ms on one thread; with ELU in place of ReLU it
 * took as long as before.
 */
const hasRectifiedConvolution = ({ nodes }: Graph): boolean =>
  nodes.some(({ operation, inputs }) => operation === relu && inputs[0].operation.isConvolution);

/**
 * The levels above `basic` fuse operations. On the CPU, only convolutions with fixed weights in float32 get faster by it, and without these levels
 * a session is created in 2/3 of the time. Not in float64: these levels merge a product and a scalar into FusedMatMul, whose attribute `alpha` is
 * float32.
 */
function optimizationLevel({ providers, precision }: SessionChoices, { nodes }: Graph) {
  if (nodes.length > MAX_OPTIMIZED_NODES) return "disabled";
  if (precision === "float64") return "basic";
  const hasFusions =
    deviceProviders(providers).length > 0 || nodes.some(({ operation }) => operation.isConvolution);
  return hasFusions ? "all" : "basic";
}

/** Whether a session would run in onnxruntime-node, in float32 on an x64 processor, unless onnxruntime-node is missing. */
export const mayHaveChannelBlocks = ({ providers = [], precision }: SessionChoices): boolean =>
  precision !== "float64" &&
  providers.every((name) => name === "cpu") &&
  builtinModule?.("node:os").arch() === "x64";

export function sessionOptions(choices: SessionChoices, graph: Graph): InferenceSession.SessionOptions {
  const { providers, threads = 1 } = choices;
  const devices = deviceProviders(providers);
  return {
    // With `cpu` or `wasm` behind a device, onnxruntime-web would use the CPU if there is no device. ONNX Runtime adds the CPU itself, for
    // the operations that the device does not have.
    ...(providers && { executionProviders: devices.length > 0 ? devices : [...providers] }),
    intraOpNumThreads: threads,
    enableMemPattern: !graph.nodes.some(
      ({ shape }) => shape[0] === "N" && sizeOf(shape) > MAX_PLANNED_NUMBERS_PER_ROW,
    ),
    graphOptimizationLevel: optimizationLevel(choices, graph),
    logSeverityLevel: 3,
    extra: {
      optimization: {
        disable_specified_optimizers: [
          ...NEEDLESS_OPTIMIZERS,
          ...(hasRectifiedConvolution(graph) ? [] : TRANSPOSE_OPTIMIZERS),
        ].join(";"),
      },
    },
  };
}
