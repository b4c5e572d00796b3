/** How ONNX Runtime computes a graph. */
export interface EngineOptions {
  /**
   * Execution providers of ONNX Runtime in order of preference, such as `cuda` or `webgpu`. Default the CPU. In Node, `wasm`
   * computes with onnxruntime-web. A provider that does not work on the machine is an error even if `cpu` or `wasm` follows it.
   */
  providers?: readonly string[] | undefined;
  /**
   * The number of threads. In Node, flows and `fit` split rows among worker threads, by default one per core. `compile`, and
   * everything in a page, uses threads inside each operation, by default 1; in a page the first computation decides for all
   * later ones, and more than 1 thread needs cross-origin isolation. Not used with a provider of a device, to which one thread
   * sends all rows.
   */
  threads?: number | undefined;
}

/** The providers that compute on a device, such as a GPU, and not on the CPU. */
export const deviceProviders = (providers: readonly string[] = []): string[] =>
  providers.filter((provider) => provider !== "cpu" && provider !== "wasm");

/** The options for a computation in float64. WebGPU does not have it, so the CPU computes instead. */
export const inFloat64 = <O extends EngineOptions>({ providers, ...options }: O) => ({
  ...options,
  ...(providers && { providers: providers.map((each) => (each === "webgpu" ? "cpu" : each)) }),
  precision: "float64" as const,
});

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
