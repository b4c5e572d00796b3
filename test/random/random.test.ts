import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Random } from "../../src/random/random.ts";
import { kolmogorovSmirnov } from "../mathematics/kolmogorovSmirnov.ts";
import { normalProbability } from "../mathematics/normalProbability.ts";

const COUNT = 200_000;
const SEEDS = [0, 1, 12345, Number.MAX_SAFE_INTEGER, 2n ** 64n - 1n];

/** A number of standard errors that a correct generator exceeds in about one of 10^5 tests. The seeds are fixed. */
const Z_LIMIT = 4.5;

describe("the value at an index", () => {
  const kinds = ["uniform", "normal"] as const;
  const offsets = fc.oneof(fc.nat({ max: 9 }), fc.maxSafeInteger().map(Math.abs));

  test.each(kinds)("does not depend on how %s numbers are divided into chunks", (kind) => {
    for (const Values of [Float32Array, Float64Array]) {
      const lengths = fc.array(fc.nat({ max: 9 }), { maxLength: 8 });
      fc.assert(
        fc.property(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), offsets, lengths, (seed, start, chunks) => {
          const total = chunks.reduce((sum, length) => sum + length, 0);
          const offset = Math.min(start, Number.MAX_SAFE_INTEGER - total);
          const whole = new Random(seed)[kind](new Values(total), { offset });
          let done = 0;
          for (const length of chunks) {
            const chunk = new Random(seed)[kind](new Values(length), { offset: offset + done });
            expect(chunk).toEqual(whole.subarray(done, done + length));
            done += length;
          }
        }),
      );
    }
  });

  test.each(kinds)("differs between %s offsets that are equal modulo 2^32 or 2^33", (kind) => {
    const random = new Random(3);
    const at = (offset: number) => random[kind](new Float64Array(1), { offset })[0];
    expect(new Set([0, 1, 2 ** 32, 2 ** 32 + 1, 2 ** 33, 2 ** 33 + 1, 2 ** 52].map(at)).size).toBe(7);
  });

  test("is in float32 the rounded float64 number", () => {
    const random = new Random(4);
    expect(random.normal(new Float32Array(999))).toEqual(
      Float32Array.from(random.normal(new Float64Array(999))),
    );
    const coarse = random.uniform(new Float32Array(999));
    const fine = random.uniform(new Float64Array(999));
    for (let i = 0; i < 999; i++) expect(Math.abs(coarse[i]! - fine[i]!)).toBeLessThan(2 ** -23);
  });

  test("does not change between releases", () => {
    const random = new Random(0);
    expect([...random.uniform(new Float64Array(3))]).toMatchInlineSnapshot(`
      [
        0.39904647887528244,
        0.7357127905708828,
        0.9722411984516847,
      ]
    `);
    expect([...random.normal(new Float32Array(3))]).toMatchInlineSnapshot(`
      [
        1.0711733102798462,
        0.41623812913894653,
        -0.6843032836914062,
      ]
    `);
    expect([...random.permutation(8)]).toMatchInlineSnapshot(`
      [
        0,
        1,
        6,
        3,
        4,
        2,
        5,
        7,
      ]
    `);
    expect(random.split("noise").seed).toMatchInlineSnapshot(`11606087453807277650n`);
    expect(random.split("a longer label").split(1).seed).toMatchInlineSnapshot(`7040897628311815104n`);
  });
});

describe.each(SEEDS)("with seed %s", (seed) => {
  test("uniform numbers are uniform", () => {
    for (const values of [new Float32Array(COUNT), new Float64Array(COUNT)]) {
      new Random(seed).uniform(values);
      expect(kolmogorovSmirnov(values, (u) => u)).toBeGreaterThan(1e-5);
      for (const power of [1, 2, 3, 4]) {
        const mean = 1 / (power + 1);
        const variance = 1 / (2 * power + 1) - mean ** 2;
        expect(momentError(values, power, mean, variance)).toBeLessThan(Z_LIMIT);
      }
    }
  });

  test("normal numbers are normal", () => {
    for (const values of [new Float32Array(COUNT), new Float64Array(COUNT)]) {
      new Random(seed).normal(values);
      expect(kolmogorovSmirnov(values, normalProbability)).toBeGreaterThan(1e-5);
      // E x^2k = (2k - 1)!!
      const moments = [1, 0, 1, 0, 3, 0, 15, 0, 105];
      for (const power of [1, 2, 3, 4]) {
        const variance = moments[2 * power]! - moments[power]! ** 2;
        expect(momentError(values, power, moments[power]!, variance)).toBeLessThan(Z_LIMIT);
      }
    }
  });

  test("numbers are uncorrelated with their neighbours and with those of other seeds, distributions and splits", () => {
    const random = new Random(seed);
    const normal = (source: Random, offset = 0) => source.normal(new Float64Array(COUNT), { offset });
    const own = normal(random);
    const others = {
      "lag 1": normal(random, 1),
      "lag 2": normal(random, 2),
      "another use": random.uniform(new Float64Array(COUNT)).map((u) => Math.sqrt(12) * (u - 0.5)),
      "the next seed": normal(new Random(BigInt.asUintN(64, random.seed + 1n))),
      "the seed with its halves swapped": normal(
        new Random(((random.seed & 0xffffffffn) << 32n) | ((random.seed >> 32n) ^ 1n)),
      ),
      "a split": normal(random.split("a")),
      "a split of the split": normal(random.split("a").split("a")),
    };
    for (const [name, other] of Object.entries(others)) {
      expect(Math.abs(correlation(own, other)), name).toBeLessThan(Z_LIMIT);
    }
    expect(Math.abs(correlation(normal(random.split(1)), normal(random.split(2))))).toBeLessThan(Z_LIMIT);
  });
});

describe("uniform", () => {
  test("never returns 0 or 1", () => {
    for (const values of [new Float32Array(2e6), new Float64Array(2e6)]) {
      let [smallest, largest] = [1, 0];
      for (const u of new Random(5).uniform(values)) {
        if (u < smallest) smallest = u;
        if (u > largest) largest = u;
      }
      expect(smallest).toBeGreaterThan(0);
      expect(smallest).toBeLessThan(1e-5);
      expect(largest).toBeLessThan(1);
      expect(largest).toBeGreaterThan(1 - 1e-5);
    }
  });

  test("returns odd multiples of 2^-53, or of 2^-24 in float32", () => {
    for (const u of new Random(6).uniform(new Float64Array(1000))) expect((u * 2 ** 53) % 2).toBe(1);
    for (const u of new Random(6).uniform(new Float32Array(1000))) expect((u * 2 ** 24) % 2).toBe(1);
  });
});

describe("normal", () => {
  test("has tails with the right probability", () => {
    const values = new Random(8).normal(new Float64Array(4e6));
    for (const bound of [3, 4, 4.5]) {
      for (const sign of [1, -1]) {
        const expected = values.length * normalProbability(-bound);
        const observed = values.reduce((count, x) => count + (sign * x > bound ? 1 : 0), 0);
        expect(Math.abs(observed - expected) / Math.sqrt(expected)).toBeLessThan(Z_LIMIT);
      }
    }
  });
});

describe("split", () => {
  test("returns a different stream for each label, and the same stream for the same label", () => {
    const random = new Random(9);
    const streams = [
      random,
      ...["", "a", "ab", "abc", "abcd", "abcde", "abcdefgh", "\0", "\0\0", "ä", "ℝ", 0, 1, 10, -1, 0.5].map(
        (label) => random.split(label),
      ),
      random.split("a").split("b"),
      random.split("b").split("a"),
      random.split("abcd").split("efgh"),
      random.split("").split(""),
      new Random(10).split("a"),
    ];
    expect(new Set(streams.map((stream) => stream.seed)).size).toBe(streams.length);
    expect(random.split("a").seed).toBe(new Random(9).split("a").seed);
    expect(random.split(1).seed).toBe(random.split("1").seed);
  });

  test("returns distinct streams for many labels", () => {
    const random = new Random(11);
    const seeds = Array.from({ length: 20_000 }, (_, step) => random.split(step).seed);
    expect(new Set(seeds).size).toBe(seeds.length);
  });

  test("returns a stream that can be restored from its seed", () => {
    const stream = new Random(2n ** 63n + 1n).split("noise");
    expect(new Random(stream.seed).normal(new Float64Array(5))).toEqual(stream.normal(new Float64Array(5)));
  });
});

describe("permutation", () => {
  test("contains every number once", () => {
    fc.assert(
      fc.property(fc.nat({ max: 300 }), fc.nat(), (n, seed) => {
        const sorted = new Random(seed).permutation(n).sort();
        expect(sorted).toEqual(Int32Array.from({ length: n }, (_, i) => i));
      }),
    );
  });

  test("returns all 4! permutations equally often", () => {
    const random = new Random(12);
    const counts = new Map<string, number>();
    const repeats = 24_000;
    for (let i = 0; i < repeats; i++) {
      const order = random.split(i).permutation(4).join();
      counts.set(order, (counts.get(order) ?? 0) + 1);
    }
    expect(counts.size).toBe(24);
    const expected = repeats / 24;
    const chiSquare = [...counts.values()].reduce((sum, n) => sum + (n - expected) ** 2 / expected, 0);
    // scipy.stats.chi2.isf(1e-5, 23) = 64.0
    expect(chiSquare).toBeLessThan(64);
  });

  test("moves every number to every position equally often in a long permutation", () => {
    const random = new Random(13);
    const n = 100;
    const repeats = 5000;
    const counts = new Float64Array(n * n);
    for (let i = 0; i < repeats; i++) {
      const order = random.split(i).permutation(n);
      for (let place = 0; place < n; place++) counts[place * n + order[place]!]! += 1;
    }
    const expected = repeats / n;
    const chiSquare = counts.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
    // With (n - 1)^2 degrees of freedom the chi-square distribution is close to a normal one.
    const freedom = (n - 1) ** 2;
    expect(Math.abs(chiSquare - freedom) / Math.sqrt(2 * freedom)).toBeLessThan(Z_LIMIT);
  });
});

describe("errors", () => {
  test.each([-1, 0.5, Number.NaN, 2 ** 53, -1n, 2n ** 64n])("seed %s", (seed) => {
    expect(() => new Random(seed)).toThrow(
      `the seed is not valid: expected an integer from 0 to 2^64 - 1 (a bigint from 2^53 on), received ${seed}.`,
    );
  });

  test("offsets and lengths", () => {
    const random = new Random(0);
    expect(() => random.normal(new Float32Array(1), { offset: -1 })).toThrowErrorMatchingInlineSnapshot(
      `[PushforwardError: the offset is not valid: expected an integer from 0 to 2^53 - 1, received -1.]`,
    );
    expect(() => random.uniform(new Float32Array(1), { offset: 0.5 })).toThrowErrorMatchingInlineSnapshot(
      `[PushforwardError: the offset is not valid: expected an integer from 0 to 2^53 - 1, received 0.5.]`,
    );
    expect(() => random.permutation(-1)).toThrowErrorMatchingInlineSnapshot(
      `[PushforwardError: the length of a permutation is not valid: expected an integer from 0 to 2^31, received -1.]`,
    );
  });
});

/** How many standard errors the mean of x^power lies from its expectation. */
function momentError(
  values: Float32Array | Float64Array,
  power: number,
  mean: number,
  variance: number,
): number {
  let sum = 0;
  for (const x of values) sum += x ** power;
  return Math.abs(sum / values.length - mean) / Math.sqrt(variance / values.length);
}

/** The correlation of two standardized samples, in standard errors. */
function correlation(a: Float64Array, b: Float64Array): number {
  return a.reduce((sum, x, i) => sum + x * b[i]!, 0) / Math.sqrt(a.length);
}
