import { compile, type Tensor } from "pushforward";
import { useOnnxRuntime } from "pushforward/runtime";
import type { Provider } from "./messages.ts";

/** Whether the browser has a WebGPU adapter: a GPU, or a device in software. */
export async function hasWebGpu(): Promise<boolean> {
  return Boolean(await navigator.gpu?.requestAdapter());
}

/** Loads and starts ONNX Runtime. Returns the GPU, if it computes on one. */
export async function startOnnxRuntime(provider: Provider): Promise<GPUDevice | undefined> {
  const double = compile((x: Tensor) => x.mul(2), [["N"]], { providers: [provider], threads: 1 });
  if (provider === "wasm") {
    await double([1]);
    await double.release();
    return undefined;
  }
  if (!(await hasWebGpu())) throw new Error("the browser has no WebGPU adapter.");
  // The build with WebGPU has 27 MB, so only those who choose it load it.
  const runtime = await import("onnxruntime-web/webgpu");
  useOnnxRuntime(runtime);
  // This session is not released, because ONNX Runtime releases the GPU with its last session.
  await double([1]);
  return runtime.env.webgpu.device;
}
