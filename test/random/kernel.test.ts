import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { compileKernel } from "../../scripts/compileKernel.ts";
import { loadKernel } from "../../src/random/kernel.ts";
import { philox4x32 } from "../../src/random/philox.ts";
import { randomKernel } from "../../src/random/randomKernel.ts";

const { numbers, uniform, normal } = loadKernel();

test("the committed kernel is the compiled source", async () => {
  const code = await compileKernel("kernels/random.ts");
  expect(randomKernel).toBe(Buffer.from(code).toString("base64"));
});

test("uniform numbers are computed from the words of the generator", () => {
  const word = fc.oneof(fc.nat({ max: 0xffffffff }), fc.constantFrom(0, 1, 0xfffffffe, 0xffffffff));
  fc.assert(
    fc.property(fc.tuple(word, word, word, word, word), fc.integer({ min: 1, max: 9 }), (words, blocks) => {
      const [low, high, use, key0, key1] = words;
      uniform(0, blocks, low, high, use, key0, key1);
      const out = new Uint32Array(4);
      for (let i = 0; i < blocks; i++) {
        philox4x32(low + i, high + Math.floor((low + i) / 2 ** 32), use, 0, key0, key1, out);
        const expected = [out.subarray(0, 2), out.subarray(2)].map(
          ([high, low]) => ((high! >>> 6) * 2 ** 26 + (low! >>> 6) + 0.5) * 2 ** -52,
        );
        expect([...numbers.subarray(2 * i, 2 * i + 2)]).toEqual(expected);
      }
    }),
  );
});

describe("normal numbers", () => {
  /** Odd multiples of 2^-53, as all uniform numbers are. */
  const odd = (u: number) => (2 * Math.min(Math.floor(u * 2 ** 52), 2 ** 52 - 1) + 1) * 2 ** -53;
  const ends = [0, 2 ** -52, 1 - 2 ** -52, 1, 0.5, Math.SQRT1_2, 0.25];
  const eighths = Array.from({ length: 9 }, (_, i) => i / 8);
  const near = (values: readonly number[]) =>
    fc.tuple(
      fc.constantFrom(...values),
      fc.integer({ min: -2, max: 2 }).map((i) => i * 2 ** -52),
    );
  const numberNear = (values: readonly number[]) =>
    fc.oneof(
      fc.double({ min: 0, max: 1, noNaN: true }),
      near(values).map(([value, shift]) => Math.max(0, value + shift)),
    );

  test("are those of Box and Muller up to rounding", () => {
    fc.assert(
      fc.property(numberNear(ends), numberNear(eighths), (first, second) => {
        const [u, v] = [odd(first), odd(second)];
        numbers.set([u, v]);
        normal(0, 1);
        const radius = Math.sqrt(-2 * Math.log(u));
        const error = 4e-16 * (1 + 2 * Math.PI * v) * radius;
        expect(Math.abs(numbers[0]! - radius * Math.cos(2 * Math.PI * v))).toBeLessThanOrEqual(error);
        expect(Math.abs(numbers[1]! - radius * Math.sin(2 * Math.PI * v))).toBeLessThanOrEqual(error);
        expect(Math.abs(Math.hypot(numbers[0]!, numbers[1]!) / radius - 1)).toBeLessThan(1e-15);
      }),
      { numRuns: 5000 },
    );
  });
});
