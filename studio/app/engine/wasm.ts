/** The options of ONNX Runtime in all workers but that of training: WebAssembly on one thread, for which the page needs no special headers. */
export const WASM = { providers: ["wasm"], threads: 1 };
