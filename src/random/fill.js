// @ts-check
// Plain JavaScript, because the worker threads that draw noise with it run plain JavaScript.

/** The third word of a counter: different for uniform and normal numbers, so that these never share a counter. */
export const UNIFORM = 0;
export const NORMAL = 1;

/** Size of the kernel's memory in float64 numbers: 8 kB, a fraction of a core's first cache. */
const BUFFER_SIZE = 1024;

/**
 * The functions of kernels/random.ts: `uniform` writes two numbers per block from address `to` on, and `normal` replaces uniform
 * numbers by normal ones in place. Words are taken modulo 2^32. `numbers` is the kernel's memory.
 * @typedef {{
 *   uniform(to: number, blocks: number, low: number, high: number, use: number, key0: number, key1: number): void,
 *   normal(at: number, blocks: number): void,
 *   numbers: Float64Array,
 * }} Kernel
 */

/**
 * Instantiates the kernel. Synchronous, which browsers allow for a module of up to 4 kB.
 * @param {Uint8Array<ArrayBuffer>} code
 * @returns {Kernel}
 */
export function instantiateKernel(code) {
  const memory = new WebAssembly.Memory({ initial: 1 });
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(code), { env: { memory } });
  const { uniform, normal } = /** @type {any} */ (exports);
  return { uniform, normal, numbers: new Float64Array(memory.buffer, 0, BUFFER_SIZE) };
}

/**
 * Fills `out` with the uniform or normal numbers of a generator, from index `offset` on.
 * @param {Kernel} kernel
 * @param {readonly number[] | Float64Array} stream UNIFORM or NORMAL, and the two words of the key
 * @param {number} offset
 * @param {Float32Array | Float64Array} out
 */
export function fill({ uniform, normal, numbers }, [use, key0, key1], offset, out) {
  for (let start = 0; start < out.length; ) {
    const skipped = (offset + start) % 2;
    const block = (offset + start - skipped) / 2;
    const count = Math.min(out.length - start, numbers.length - skipped);
    const blocks = Math.ceil((skipped + count) / 2);
    uniform(0, blocks, block, block / 0x100000000, use, key0, key1);
    if (use === NORMAL) normal(0, blocks);
    const filled = numbers.subarray(skipped, skipped + count);
    if (use === NORMAL || out instanceof Float64Array) out.set(filled, start);
    else for (let i = 0; i < count; i++) out[start + i] = roundToFloat32(filled[i]);
    start += count;
  }
}

/**
 * The float32 (2k + 1) / 2^24, where k are the upper 23 bits of u: unlike a rounded u it is never 0 or 1.
 * @param {number} u
 */
const roundToFloat32 = (u) => (Math.floor(u * 2 ** 23) + 0.5) * 2 ** -23;
