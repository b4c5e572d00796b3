// @ts-check
// Plain JavaScript, as the code of worker threads is, which draw their noise with it.

/** What a counter is used for: its third word, so that no two uses ever share a counter. */
export const UNIFORM = 0;
export const NORMAL = 1;

/** Numbers at a time: a fraction of what the cache next to a core holds. */
const NUMBERS = 1024;

/**
 * What kernels/random.ts computes: two numbers a block, from address `to` on. Words are taken modulo 2^32. `numbers` is its
 * memory.
 * @typedef {{
 *   uniform(to: number, blocks: number, low: number, high: number, use: number, key0: number, key1: number): void,
 *   normal(at: number, blocks: number): void,
 *   numbers: Float64Array,
 * }} Kernel
 */

/**
 * Small enough for a page to make it at once.
 * @param {Uint8Array<ArrayBuffer>} code
 * @returns {Kernel}
 */
export function kernelOf(code) {
  const memory = new WebAssembly.Memory({ initial: 1 });
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(code), { env: { memory } });
  const { uniform, normal } = /** @type {any} */ (exports);
  return { uniform, normal, numbers: new Float64Array(memory.buffer, 0, NUMBERS) };
}

/**
 * Fills `out` with the numbers from `offset` on that the generator with this key has for a use: uniform or normal ones.
 * @param {Kernel} kernel
 * @param {readonly number[] | Float64Array} stream the use and the two words of the key
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
    const made = numbers.subarray(skipped, skipped + count);
    if (use === NORMAL || out instanceof Float64Array) out.set(made, start);
    else for (let i = 0; i < count; i++) out[start + i] = openInterval24(made[i]);
    start += count;
  }
}

/**
 * (2k + 1) / 2^24 for the upper 23 bits k of a number of the open interval.
 * @param {number} u
 */
const openInterval24 = (u) => (Math.floor(u * 2 ** 23) + 0.5) * 2 ** -23;
