export { type Compiled, type CompileOptions, compile, type Floats, type InputShapes } from "./compile.ts";
export { useOnnxRuntime } from "./engine.ts";
export type { EngineOptions } from "./engineOptions.ts";
