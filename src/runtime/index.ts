/** Compiled graphs, threads and execution providers; the only place that knows ONNX Runtime. */

export { useOnnxRuntime } from "./chosenRuntime.ts";
export { type Compiled, type CompileOptions, compile, type Floats, type InputShapes } from "./compile.ts";
export { deviceProviders, type EngineOptions, engineOptionsOf, inFloat64 } from "./engineOptions.ts";
export { terminateIdleWorkers } from "./idleWorkers.ts";
export type { NoiseRequest } from "./noiseRequest.ts";
export { areRunOptions, engineRules, runRules } from "./options.ts";
export { type KernelCall, ParallelKernel } from "./parallelKernel.ts";
export { providerProblems, requireProvider } from "./providers.ts";
export { intraOpThreads, type Shard, ShardedFunction, threadCount } from "./shardedFunction.ts";
