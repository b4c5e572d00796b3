/** How ONNX Runtime computes a graph. */
export interface EngineOptions {
  /**
   * Execution providers of ONNX Runtime in order of preference, such as `cuda` or `webgpu`. Default the CPU. In Node, `wasm`
   * computes with onnxruntime-web.
   */
  providers?: readonly string[];
  /**
   * The number of threads. In Node, flows and `fit` split rows among worker threads, by default one per core. `compile`, and
   * everything in a page, uses threads inside each operation, by default 1; in a page the first computation decides for all
   * later ones, and more than 1 thread needs cross-origin isolation.
   */
  threads?: number;
}

/** Selects the defined options of the engine from an object that may have further options. */
export const engineOptionsOf = ({
  providers,
  threads,
}: {
  readonly [K in keyof EngineOptions]?: EngineOptions[K] | undefined;
}): EngineOptions => ({
  ...(providers && { providers }),
  ...(threads !== undefined && { threads }),
});
