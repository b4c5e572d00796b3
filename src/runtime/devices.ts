import { PushforwardError } from "../check/index.ts";
import { buildGraph, input } from "../graph/index.ts";
import { exportOnnx, type Precision } from "../onnx/index.ts";
import type { Engine } from "./engine.ts";
import { builtinModule } from "./workerPool.ts";

/** What is installed of onnxruntime-node. */
export interface NativeInstallation {
  /** Its execution providers on this platform. The libraries of those that are not bundled are downloaded when it is installed. */
  readonly providers: readonly { readonly name: string; readonly bundled: boolean }[];
  hasLibraryOf(provider: string): boolean;
}

const CPU_HINT = "Omit the provider to compute on the CPU.";
const CUDA_REQUIREMENTS = "a GPU with an NVIDIA driver, CUDA 12 and cuDNN 9";

/** The checks of this process by provider. They take a moment, and drivers do not change. */
const checks = new Map<string, Promise<void>>();

/**
 * Throws `ENGINE` unless each device computes on this machine, and in this precision. ONNX Runtime does not: it may leave the operations
 * that a device cannot compute to the CPU.
 */
export async function requireDevices(
  devices: readonly string[],
  precision: Precision,
  engine: Engine,
): Promise<void> {
  for (const device of devices) {
    if (device === "webgpu" && precision === "float64") {
      throw new PushforwardError(
        "ENGINE",
        "the execution provider webgpu cannot compute in float64, which this computation needs",
        { hint: `WebGPU has only float32. ${CPU_HINT}` },
      );
    }
    if (!checks.has(device)) checks.set(device, checkInstalled(device, engine));
    await checks.get(device);
  }
}

const checkInstalled = async (device: string, engine: Engine): Promise<void> =>
  checkProvider(device, engine, engine.isNative ? await nativeInstallation() : undefined);

/** Computes 2 x with an execution provider. Throws `ENGINE` with what is missing if that fails. */
export async function checkProvider(
  provider: string,
  { InferenceSession, Tensor }: Engine,
  installation?: NativeInstallation,
): Promise<void> {
  if (installation) requireInstalled(provider, installation);
  const x = input("x", ["N"]);
  const bytes = exportOnnx(buildGraph([x], { output: x.mul(2) }));
  try {
    const session = await InferenceSession.create(bytes, {
      executionProviders: [provider],
      logSeverityLevel: 3,
      // If the device left the node to the CPU, the check would prove nothing.
      ...(provider !== "cpu" && { extra: { session: { disable_cpu_ep_fallback: "1" } } }),
    });
    try {
      const { output } = await session.run({ x: new Tensor("float32", Float32Array.of(1, 2), [2]) });
      const result = [...(output!.data as Float32Array)].join(" and ");
      if (result !== "2 and 4") throw new Error(`twice 1 and 2 is ${result}`);
    } finally {
      await session.release();
    }
  } catch (error) {
    throw explained(provider, error as Error, installation !== undefined);
  }
}

/** Checks what is installed first, because ONNX Runtime writes two lines to standard error for a library that it does not find. */
function requireInstalled(provider: string, { providers, hasLibraryOf }: NativeInstallation): void {
  const found = providers.find(({ name }) => name === provider);
  if (!found) {
    throw new PushforwardError(
      "ENGINE",
      "onnxruntime-node does not have this execution provider on this platform",
      {
        expected: `one of ${providers.map(({ name }) => name).join(", ")}`,
        received: provider,
        hint: CPU_HINT,
      },
    );
  }
  if (found.bundled || hasLibraryOf(provider)) return;
  throw new PushforwardError(
    "ENGINE",
    `onnxruntime-node is installed without the libraries of the execution provider ${provider}`,
    {
      hint: `npm rebuild onnxruntime-node downloads them with its install script. They need ${CUDA_REQUIREMENTS}. ${CPU_HINT}`,
    },
  );
}

function explained(provider: string, cause: Error, isNative: boolean): PushforwardError {
  const hasNoAdapter = provider === "webgpu" && /adapter/i.test(cause.message);
  const reason = hasNoAdapter ? "there is no WebGPU adapter" : cause.message.split("\n")[0];
  const needs: Readonly<Record<string, string>> = {
    cuda: `It needs ${CUDA_REQUIREMENTS}. nvidia-smi lists the GPUs, and ONNX Runtime logs the library that it cannot load.`,
    webgpu: isNative
      ? "It needs a GPU with a driver for Vulkan, Metal or Direct3D 12. Debian's mesa-vulkan-drivers also compute without a GPU, slowly."
      : "It needs a browser with WebGPU, and a GPU that the browser supports.",
  };
  const hint = [needs[provider], CPU_HINT].filter(Boolean).join(" ");
  return new PushforwardError("ENGINE", `the execution provider ${provider} does not work: ${reason}`, {
    hint,
    cause,
  });
}

/** The version is that of `optionalDependencies` in package.json. */
const INSTALL_NATIVE = "npm install onnxruntime-node@1.30.0";

const isNotInstalled = ({ message }: Error): boolean =>
  /Cannot find (package|module) 'onnxruntime-node'/.test(message);

const problemOf = (error: Error): string =>
  isNotInstalled(error) ? "is not installed" : `cannot be loaded (${error.message.split("\n")[0]})`;

/** `--ignore-scripts` skips the package's download of CUDA libraries, which fails on machines that reach only npm. */
export function fallbackWarning(error: Error): string {
  const fix = isNotInstalled(error) ? ` To install it: ${INSTALL_NATIVE} --ignore-scripts` : "";
  return `pushforward: onnxruntime-node ${problemOf(error)}, so pushforward uses WebAssembly, which is 2 to 3 times slower.${fix}`;
}

/** The error if onnxruntime-node cannot be loaded. WebAssembly has no provider of a device. */
export const nativeIsMissing = (provider: string, cause: Error): PushforwardError =>
  new PushforwardError(
    "ENGINE",
    `the execution provider ${provider} needs onnxruntime-node, which ${problemOf(cause)}`,
    { hint: isNotInstalled(cause) ? `To install it: ${INSTALL_NATIVE}` : undefined, cause },
  );

/** The error if a page has not called `useOnnxRuntime`. */
export const webGpuIsMissing = (): PushforwardError =>
  new PushforwardError("ENGINE", "this page has no build of ONNX Runtime with WebGPU", {
    hint: 'import * as ort from "onnxruntime-web/webgpu", and pass it to useOnnxRuntime of pushforward/runtime.',
  });

/** Throws the error of the import if onnxruntime-node cannot be loaded. */
export async function nativeInstallation(): Promise<NativeInstallation> {
  const { listSupportedBackends } = (await import("#onnxruntime/native")) as unknown as {
    listSupportedBackends(): NativeInstallation["providers"];
  };
  const { createRequire } = builtinModule!("node:module");
  const { readdirSync } = builtinModule!("node:fs");
  const { join } = builtinModule!("node:path");
  const main = createRequire(import.meta.url).resolve("onnxruntime-node");
  const files = readdirSync(join(main, "../../bin"), { recursive: true }).map(String);
  return {
    providers: listSupportedBackends(),
    hasLibraryOf: (provider) => files.some((file) => file.includes(`onnxruntime_providers_${provider}.`)),
  };
}
