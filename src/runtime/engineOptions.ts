/** How ONNX Runtime computes a graph. */
export interface EngineOptions {
  /** Execution providers in order of preference, such as `cuda`, `webgpu`, `wasm`; the CPU if absent. */
  providers?: readonly string[];
  /**
   * How many threads compute. Flows and `fit` share rows among worker threads, by default one a core. `compile` and all that
   * runs in a page have them inside one operation, by default 1; in a page the first compiled function that runs decides
   * for all, and more than 1 needs cross-origin isolation.
   */
  threads?: number;
}
