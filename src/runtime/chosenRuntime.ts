// This is not in engine.ts, because that file imports the declarations of ONNX Runtime, which need TypeScript's DOM library.

let chosen: object | undefined;

/**
 * Makes a page compute with another build of onnxruntime-web than `onnxruntime-web/wasm`, which has no WebGPU:
 *
 *     import * as ort from "onnxruntime-web/webgpu";
 *     useOnnxRuntime(ort);
 *
 * Call it before the first computation. A page ships such a build (27 MB for WebGPU) only if it imports it. The builds with WebGPU
 * have no float64, so computations that need it use `onnxruntime-web/wasm`. Node ignores the call: onnxruntime-node has all execution
 * providers of the platform.
 */
export function useOnnxRuntime(runtime: object): void {
  chosen = runtime;
}

export const chosenRuntime = (): object | undefined => chosen;
