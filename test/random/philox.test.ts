import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { philox4x32 } from "../../src/random/philox.ts";

type Words = [number, number, number, number];

function philox(counter: Words, key: [number, number]): string[] {
  const out = new Uint32Array(4);
  philox4x32(...counter, ...key, out);
  return Array.from(out, hex);
}

const hex = (word: number) => word.toString(16).padStart(8, "0");

describe("philox4x32", () => {
  // Random123, tests/kat_vectors: the lines "philox4x32 10".
  test.each<[string, Words, [number, number], string]>([
    ["zeros", [0, 0, 0, 0], [0, 0], "6627e8d5 e169c58d bc57ac4c 9b00dbd8"],
    [
      "ones",
      [0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff],
      [0xffffffff, 0xffffffff],
      "408f276d 41c83b0e a20bc7c6 6d5451fd",
    ],
    [
      "digits of pi",
      [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344],
      [0xa4093822, 0x299f31d0],
      "d16cfe09 94fdcceb 5001e420 24126ea1",
    ],
  ])("gives the published answer for %s", (_, counter, key, answer) => {
    expect(philox(counter, key).join(" ")).toBe(answer);
  });

  test("equals the definition in the paper, in exact integers", () => {
    const word = fc.nat({ max: 0xffffffff });
    fc.assert(
      fc.property(fc.tuple(word, word, word, word), fc.tuple(word, word), (counter, key) => {
        expect(philox(counter, key)).toEqual(definition(counter, key).map(hex));
      }),
    );
  });
});

/** Salmon et al. (2011), section 3.3, with N = 4, W = 32 and R = 10. */
function definition(counter: Words, key: [number, number]): number[] {
  let [c0, c1, c2, c3] = counter.map(BigInt) as [bigint, bigint, bigint, bigint];
  let [k0, k1] = key.map(BigInt) as [bigint, bigint];
  for (let round = 0; round < 10; round++) {
    const product0 = c0 * 0xd2511f53n;
    const product1 = c2 * 0xcd9e8d57n;
    [c0, c1] = [(product1 >> 32n) ^ c1 ^ k0, product1 & 0xffffffffn];
    [c2, c3] = [(product0 >> 32n) ^ c3 ^ k1, product0 & 0xffffffffn];
    k0 = (k0 + 0x9e3779b9n) & 0xffffffffn;
    k1 = (k1 + 0xbb67ae85n) & 0xffffffffn;
  }
  return [c0, c1, c2, c3].map(Number);
}
