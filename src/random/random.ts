import { anyValue, checkOptions, PushforwardError } from "../check/index.ts";
import { fill, NORMAL, UNIFORM } from "./fill.js";
import { loadKernel } from "./kernel.ts";
import { philox4x32 } from "./philox.ts";

/** Values of the third word of a counter, like UNIFORM and NORMAL. */
const PERMUTATION = 2;
const SPLIT = 3;

/** `#fill` checks the value. */
const offsetRules = { offset: anyValue };

/** The output of `philox4x32`. All generators can share it, because a method reads the words before it returns. */
const words = new Uint32Array(4);

/**
 * A source of random numbers without state: every number is a pure function of the seed and of its index.
 *
 * Equal calls return equal numbers, so the numbers of a row do not depend on how rows are divided into chunks or among
 * threads. Another `offset` or another stream gives new numbers:
 *
 *     const random = new Random(7);
 *     const noise = random.split("noise").split(step).normal(new Float32Array(256));
 *     const order = random.split("shuffle").split(epoch).permutation(rows);
 *
 * Uniform numbers, normal numbers, permutations and splits of one generator are independent of each other.
 * The generator is Philox4x32-10 with the seed as key (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011). It
 * is not suitable for cryptography.
 */
export class Random {
  /** The 64-bit key of the stream: `new Random(random.seed)` gives the same numbers as `random`. */
  readonly seed: bigint;
  readonly #key0: number;
  readonly #key1: number;

  /** `seed` is an integer from 0 to 2^64 - 1, from 2^53 on a bigint. Throws `ARGUMENT` for any other. */
  constructor(seed: number | bigint) {
    const exact = typeof seed === "bigint" || Number.isSafeInteger(seed);
    if (!exact || seed < 0 || seed >= 2n ** 64n) {
      throw new PushforwardError("ARGUMENT", "the seed is not valid", {
        expected: "an integer from 0 to 2^64 - 1 (a bigint from 2^53 on)",
        received: `${seed}`,
      });
    }
    this.seed = BigInt(seed);
    this.#key0 = Number(this.seed & 0xffffffffn) | 0;
    this.#key1 = Number(this.seed >> 32n) | 0;
  }

  /**
   * An independent stream that depends on this one and the label: equal labels give equal streams.
   * The labels `1` and `"1"` are equal. `split("a").split("b")` differs from `split("ab")`.
   */
  split(label: string | number): Random {
    const text = `${label}`;
    const unit = (i: number) => (i < text.length ? text.charCodeAt(i) : 0);
    let key0 = this.#key0;
    let key1 = this.#key1;
    let start = 0;
    do {
      // The remaining length is in the counter, so that split("abcdefgh") differs from split("abcd").split("efgh").
      const low = unit(start) | (unit(start + 1) << 16);
      const high = unit(start + 2) | (unit(start + 3) << 16);
      philox4x32(low, high, SPLIT, text.length - start, key0, key1, words);
      key0 = words[0]!;
      key1 = words[1]!;
      start += 4;
    } while (start < text.length);
    return new Random((BigInt(key1) << 32n) | BigInt(key0));
  }

  /**
   * Fills `out` with numbers uniform on the open interval (0, 1) and returns it.
   *
   * `out[i]` depends only on the seed and `offset + i`. The numbers are odd multiples of 2^-53, or of 2^-24 in a
   * `Float32Array`, so neither 0 nor 1 occurs, and the mean is exactly 1/2. Throws `ARGUMENT` if `offset` is not an integer
   * from 0.
   */
  uniform<T extends Float32Array | Float64Array>(out: T, options: { offset?: number } = {}): T {
    checkOptions("uniform", options, offsetRules);
    return this.#fill("uniform", options.offset ?? 0, out);
  }

  /**
   * Fills `out` with standard normal numbers and returns it.
   *
   * `out[i]` depends only on the seed and `offset + i`; in a `Float32Array` it is the float64 number, rounded. The largest
   * numbers are +-8.57 (beyond that the normal distribution has a probability of 1e-17). They are computed without functions of
   * `Math`, so they are the same in every JavaScript engine. Throws `ARGUMENT` if `offset` is not an integer from 0.
   *
   * Reference: Box and Muller, "A note on the generation of random normal deviates", 1958.
   */
  normal<T extends Float32Array | Float64Array>(out: T, options: { offset?: number } = {}): T {
    checkOptions("normal", options, offsetRules);
    return this.#fill("normal", options.offset ?? 0, out);
  }

  /**
   * A random permutation of 0 to `n - 1`, all `n!` of them equally likely (Fisher and Yates). Throws `ARGUMENT` if n is not
   * valid.
   */
  permutation(n: number): Int32Array {
    if (!Number.isInteger(n) || n < 0 || n > 2 ** 31) {
      throw new PushforwardError("ARGUMENT", "the length of a permutation is not valid", {
        expected: "an integer from 0 to 2^31",
        received: `${n}`,
      });
    }
    const order = new Int32Array(n);
    for (let i = 0; i < n; i++) order[i] = i;
    let drawn = 0;
    for (let i = n - 1; i > 0; i--) {
      const choices = i + 1;
      const limit = 0x100000000 - (0x100000000 % choices);
      let word: number;
      // Words of the last, incomplete multiple of `choices` are rejected, so the remainder is unbiased.
      do {
        if (drawn % 4 === 0) this.#block(drawn / 4, PERMUTATION);
        word = words[drawn++ % 4]!;
      } while (word >= limit);
      const j = word % choices;
      const other = order[j]!;
      order[j] = order[i]!;
      order[i] = other;
    }
    return order;
  }

  /** The arguments with which `fill` writes the numbers of `uniform` or `normal` on any thread. */
  stream(distribution: "uniform" | "normal"): readonly [use: number, key0: number, key1: number] {
    return [distribution === "normal" ? NORMAL : UNIFORM, this.#key0, this.#key1];
  }

  #fill<T extends Float32Array | Float64Array>(
    distribution: "uniform" | "normal",
    offset: number,
    out: T,
  ): T {
    checkOffset(offset);
    fill(loadKernel(), this.stream(distribution), offset, out);
    return out;
  }

  #block(index: number, use: number): void {
    philox4x32(index, index / 0x100000000, use, 0, this.#key0, this.#key1, words);
  }
}

function checkOffset(offset: number): void {
  if (!Number.isSafeInteger(offset) || offset < 0) {
    throw new PushforwardError("ARGUMENT", "the offset is not valid", {
      expected: "an integer from 0 to 2^53 - 1",
      received: `${offset}`,
    });
  }
}
