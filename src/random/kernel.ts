import { randomKernel } from "./randomKernel.ts";

/** What kernels/random.ts computes: two numbers a block, from address `to` on. Words are taken modulo 2^32. */
interface Kernel {
  uniform(
    to: number,
    blocks: number,
    low: number,
    high: number,
    use: number,
    key0: number,
    key1: number,
  ): void;
  normal(at: number, blocks: number): void;
  /** The kernel's memory, which has room for so many numbers. */
  readonly numbers: Float64Array;
}

/** Numbers at a time: a fraction of what the cache next to a core holds. */
const NUMBERS = 1024;

let loaded: Kernel | undefined;

/** The kernel, made when first used: small enough for a page to do so at once. */
export function loadKernel(): Kernel {
  if (loaded) return loaded;
  const memory = new WebAssembly.Memory({ initial: 1 });
  const code = Uint8Array.from(atob(randomKernel), (c) => c.charCodeAt(0));
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(code), { env: { memory } });
  const { uniform, normal } = exports as unknown as Kernel;
  loaded = { uniform, normal, numbers: new Float64Array(memory.buffer, 0, NUMBERS) };
  return loaded;
}
