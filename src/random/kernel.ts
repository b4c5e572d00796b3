import { instantiateKernel, type Kernel } from "./fill.js";
import { randomKernel } from "./randomKernel.ts";

/** The WebAssembly module of kernels/random.ts. */
export const kernelCode = (): Uint8Array<ArrayBuffer> =>
  Uint8Array.from(atob(randomKernel), (c) => c.charCodeAt(0));

let kernel: Kernel | undefined;

/** The kernel, which is instantiated in the first call. */
export function loadKernel(): Kernel {
  kernel ??= instantiateKernel(kernelCode());
  return kernel;
}
