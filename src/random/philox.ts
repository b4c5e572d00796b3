/**
 * Philox4x32-10: maps a 128-bit counter and a 64-bit key to four pseudorandom words of 32 bits.
 *
 * There is no state: the words of any counter can be computed independently, in any order, on any thread.
 * Writes the four words for the counter `(c0, c1, c2, c3)` and the key `(k0, k1)` to `out[0..3]`,
 * least significant word first. Arguments are taken modulo 2^32.
 *
 * Reference: Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011,
 * https://doi.org/10.1145/2063384.2063405
 */
export function philox4x32(
  c0: number,
  c1: number,
  c2: number,
  c3: number,
  k0: number,
  k1: number,
  out: Uint32Array,
): void {
  for (let round = 0; round < 10; round++) {
    const high0 = highProduct(c0, 0xd251, 0x1f53);
    const high1 = highProduct(c2, 0xcd9e, 0x8d57);
    const low0 = Math.imul(c0, 0xd2511f53);
    const low1 = Math.imul(c2, 0xcd9e8d57);
    c0 = high1 ^ c1 ^ k0;
    c1 = low1;
    c2 = high0 ^ c3 ^ k1;
    c3 = low0;
    // The keys are Weyl sequences: they grow by 2^32 times the fractional parts of the golden ratio and of the square root of 3.
    k0 = (k0 + 0x9e3779b9) | 0;
    k1 = (k1 + 0xbb67ae85) | 0;
  }
  out[0] = c0;
  out[1] = c1;
  out[2] = c2;
  out[3] = c3;
}

/**
 * The upper 32 bits of the 64-bit product of `a` and `bHigh * 2^16 + bLow`.
 *
 * No intermediate result exceeds 32 bits, so that a JavaScript engine can keep all of them in integer registers.
 */
function highProduct(a: number, bHigh: number, bLow: number): number {
  const aHigh = a >>> 16;
  const aLow = a & 0xffff;
  const middle = (Math.imul(aHigh, bLow) + (Math.imul(aLow, bLow) >>> 16)) | 0;
  const carry = (Math.imul(aLow, bHigh) + (middle & 0xffff)) | 0;
  return (Math.imul(aHigh, bHigh) + (middle >>> 16) + (carry >>> 16)) | 0;
}
