export { useOnnxRuntime } from "./chosenRuntime.ts";
export { type Compiled, type CompileOptions, compile, type Floats, type InputShapes } from "./compile.ts";
export type { EngineOptions } from "./engineOptions.ts";
