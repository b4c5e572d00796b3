import { type Kernel, kernelOf } from "./fill.js";
import { randomKernel } from "./randomKernel.ts";

/** WebAssembly of kernels/random.ts. */
export const kernelCode = (): Uint8Array<ArrayBuffer> =>
  Uint8Array.from(atob(randomKernel), (c) => c.charCodeAt(0));

let loaded: Kernel | undefined;

/** The kernel, made when first used. */
export function loadKernel(): Kernel {
  loaded ??= kernelOf(kernelCode());
  return loaded;
}
