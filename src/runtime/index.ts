export { type Compiled, type CompileOptions, compile, type Floats } from "./compile.ts";
export type { EngineOptions } from "./engineOptions.ts";
