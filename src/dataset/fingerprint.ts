import type { StoredValues } from "./selectRows.ts";

/** A 64-bit digest of plain data and arrays, of two hashes like FNV-1a, by which equal inputs of training runs are recognized. */
export function fingerprint(description: unknown, arrays: readonly StoredValues[]): string {
  const text = new TextEncoder().encode(JSON.stringify(description));
  const blocks = [text, ...arrays.map((a) => new Uint8Array(a.buffer, a.byteOffset, a.byteLength))];
  let low = 0x811c9dc5;
  let high = 0xcbf29ce4;
  for (const block of blocks) {
    for (const byte of block) {
      low = Math.imul(low ^ byte, 0x01000193);
      high = Math.imul(high ^ byte ^ (low >>> 24), 0x01000193);
    }
  }
  return [high, low].map((word) => (word >>> 0).toString(16).padStart(8, "0")).join("");
}
