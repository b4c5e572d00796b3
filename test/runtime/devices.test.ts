import { describe, expect, test, vi } from "vitest";
import { checkProvider, type NativeInstallation, nativeIsMissing } from "../../src/runtime/devices.ts";
import { type Engine, loadEngine } from "../../src/runtime/engine.ts";
import { compile } from "../../src/runtime/index.ts";

/** The providers of onnxruntime-node on Linux, without the libraries that its install script downloads. */
const onLinux: NativeInstallation = {
  providers: [
    { name: "cpu", bundled: true },
    { name: "webgpu", bundled: true },
    { name: "cuda", bundled: false },
  ],
  hasLibraryOf: () => false,
};
const withCuda: NativeInstallation = { ...onLinux, hasLibraryOf: (provider) => provider === "cuda" };

/** Checks a provider on a machine where a session with it fails with this message of ONNX Runtime. */
async function failure(provider: string, message: string, installation?: NativeInstallation): Promise<void> {
  const { Tensor } = await loadEngine({});
  const InferenceSession = { create: () => Promise.reject(new Error(message)) };
  return checkProvider(provider, { InferenceSession, Tensor, isNative: true }, installation);
}

const NO_ADAPTER =
  "/onnxruntime_src/onnxruntime/core/providers/webgpu/webgpu_context.cc:136 adapter_result.status == wgpu::RequestAdapterStatus::Success was false. Failed to get a WebGPU adapter: No supported adapters\n";

describe("a provider of a device that does not work is an error with what is missing", () => {
  test("a WebGPU adapter, in Node", async () => {
    await expect(failure("webgpu", NO_ADAPTER, onLinux)).rejects.toThrowErrorMatchingInlineSnapshot(`
      [PushforwardError: the execution provider webgpu does not work: there is no WebGPU adapter.
      It needs a GPU with a driver for Vulkan, Metal or Direct3D 12. Debian's mesa-vulkan-drivers also compute without a GPU, slowly. Omit the provider to compute on the CPU.]
    `);
  });

  test("a WebGPU adapter, in a page", async () => {
    await expect(
      failure("webgpu", "no available backend found. ERR: [webgpu] Error: Failed to get GPU adapter."),
    ).rejects.toThrowErrorMatchingInlineSnapshot(`
      [PushforwardError: the execution provider webgpu does not work: there is no WebGPU adapter.
      It needs a browser with WebGPU, and a GPU that the browser supports. Omit the provider to compute on the CPU.]
    `);
  });

  test("the libraries of CUDA in onnxruntime-node", async () => {
    await expect(failure("cuda", "", onLinux)).rejects.toThrowErrorMatchingInlineSnapshot(`
      [PushforwardError: onnxruntime-node is installed without the libraries of the execution provider cuda.
      npm rebuild onnxruntime-node downloads them with its install script. They need a GPU with an NVIDIA driver, CUDA 12 and cuDNN 9. Omit the provider to compute on the CPU.]
    `);
  });

  test("the libraries of CUDA on the machine", async () => {
    await expect(
      failure(
        "cuda",
        "OrtSessionOptionsAppendExecutionProvider_Cuda: Failed to load shared library",
        withCuda,
      ),
    ).rejects.toThrowErrorMatchingInlineSnapshot(`
      [PushforwardError: the execution provider cuda does not work: OrtSessionOptionsAppendExecutionProvider_Cuda: Failed to load shared library.
      It needs a GPU with an NVIDIA driver, CUDA 12 and cuDNN 9. nvidia-smi lists the GPUs, and ONNX Runtime logs the library that it cannot load. Omit the provider to compute on the CPU.]
    `);
  });

  test("a driver of CUDA", async () => {
    await expect(
      failure(
        "cuda",
        "CUDA failure 35: CUDA driver version is insufficient for CUDA runtime version",
        withCuda,
      ),
    ).rejects.toThrowErrorMatchingInlineSnapshot(`
      [PushforwardError: the execution provider cuda does not work: CUDA failure 35: CUDA driver version is insufficient for CUDA runtime version.
      It needs a GPU with an NVIDIA driver, CUDA 12 and cuDNN 9. nvidia-smi lists the GPUs, and ONNX Runtime logs the library that it cannot load. Omit the provider to compute on the CPU.]
    `);
  });

  test("a provider of another platform", async () => {
    await expect(failure("coreml", "", onLinux)).rejects.toThrowErrorMatchingInlineSnapshot(`
      [PushforwardError: onnxruntime-node does not have this execution provider on this platform: expected one of cpu, webgpu, cuda, received coreml.
      Omit the provider to compute on the CPU.]
    `);
  });

  test("onnxruntime-node", () => {
    const cause = new Error("Cannot find package 'onnxruntime-node' imported from engine.js");
    expect(nativeIsMissing("cuda", cause)).toMatchInlineSnapshot(`
      [PushforwardError: the execution provider cuda needs onnxruntime-node, which is not installed.
      To install it: npm install onnxruntime-node@1.30.0]
    `);
  });

  test("a run, whose session is released", async () => {
    const { Tensor } = await loadEngine({});
    const released = vi.fn();
    const session = { run: () => Promise.reject(new Error("device lost")), release: released };
    const engine = { InferenceSession: { create: async () => session }, Tensor, isNative: true };
    await expect(checkProvider("webgpu", engine as unknown as Engine, onLinux)).rejects.toThrow(
      "the execution provider webgpu does not work: device lost",
    );
    expect(released).toHaveBeenCalledOnce();
  });

  test("correct numbers", async () => {
    const { InferenceSession, Tensor } = await loadEngine({});
    const run = async () => ({ output: new Tensor("float32", Float32Array.of(2, 5), [2]) });
    const create = async (...session: Parameters<typeof InferenceSession.create>) =>
      Object.assign(await InferenceSession.create(session[0]), { run });
    const engine = { InferenceSession: { create }, Tensor, isNative: true } as unknown as Engine;
    await expect(checkProvider("webgpu", engine, onLinux)).rejects.toThrowErrorMatchingInlineSnapshot(`
      [PushforwardError: the execution provider webgpu does not work: twice 1 and 2 is 2 and 5.
      It needs a GPU with a driver for Vulkan, Metal or Direct3D 12. Debian's mesa-vulkan-drivers also compute without a GPU, slowly. Omit the provider to compute on the CPU.]
    `);
  });
});

test("float64 on WebGPU is an error, also if the CPU is named after it", async () => {
  const double = compile((x) => x.mul(2), [["N"]], { providers: ["webgpu", "cpu"], precision: "float64" });
  await expect(double([1])).rejects.toThrowErrorMatchingInlineSnapshot(`
    [PushforwardError: the execution provider webgpu cannot compute in float64, which this computation needs.
    WebGPU has only float32. Omit the provider to compute on the CPU.]
  `);
});

test("a provider that onnxruntime-node does not know is an error, also if the CPU is named after it", async () => {
  const double = compile((x) => x.mul(2), [["N"]], { providers: ["abacus", "cpu"] });
  await expect(double([1])).rejects.toThrow(
    /^onnxruntime-node does not have this execution provider on this platform: expected one of .*cpu.*, received abacus/,
  );
});

test("the CPU passes the check", async () => {
  await checkProvider("cpu", await loadEngine({}), onLinux);
});
