/** `pushforward/runtime`: compiled graphs. */

export {
  type Compiled,
  type CompileOptions,
  compile,
  type EngineOptions,
  type Floats,
  type InputShapes,
  useOnnxRuntime,
} from "../runtime/index.ts";
