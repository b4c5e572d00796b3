import { PushforwardError } from "../errors.ts";
import { fill, NORMAL, UNIFORM } from "./fill.js";
import { loadKernel } from "./kernel.ts";
import { philox4x32 } from "./philox.ts";

/** More uses of a counter, beside those of filled arrays. */
const PERMUTATION = 2;
const SPLIT = 3;

/** The four words of the counter at hand; every method is done with them before it returns. */
const words = new Uint32Array(4);

/**
 * A source of random numbers without state: every number is a pure function of the seed and of its index.
 *
 * Asking twice gives the same numbers; what a row receives does not depend on how rows are shared out in
 * chunks or among threads. New numbers come from another `offset` or from another stream:
 *
 *     const random = new Random(7);
 *     const noise = random.split("noise").split(step).normal(new Float32Array(256));
 *     const order = random.split("shuffle").split(epoch).permutation(rows);
 *
 * Uniform numbers, normal numbers, permutations and splits of one generator are independent of each other.
 * The generator is Philox4x32-10 keyed by the seed: Salmon et al., "Parallel random numbers: as easy as
 * 1, 2, 3", SC 2011. It is not meant for cryptography.
 */
export class Random {
  /** The 64-bit key of the stream: `new Random(random.seed)` gives the same numbers as `random`. */
  readonly seed: bigint;
  readonly #key0: number;
  readonly #key1: number;

  /** `seed` is a whole number from 0 to 2^64 - 1; beyond 2^53 - 1 it must be a bigint, to be exact. */
  constructor(seed: number | bigint) {
    const exact = typeof seed === "bigint" || Number.isSafeInteger(seed);
    if (!exact || seed < 0 || seed >= 2n ** 64n) {
      throw new PushforwardError("ARGUMENT", "A seed does not fit", {
        expected: "a whole number from 0 to 2^64 - 1 (a bigint from 2^53 on)",
        received: `${seed}`,
      });
    }
    this.seed = BigInt(seed);
    this.#key0 = Number(this.seed & 0xffffffffn) | 0;
    this.#key1 = Number(this.seed >> 32n) | 0;
  }

  /**
   * An independent stream, derived from this one and the label; the same label gives the same stream.
   * The labels `1` and `"1"` are the same; `split("a").split("b")` and `split("ab")` are not.
   */
  split(label: string | number): Random {
    const text = `${label}`;
    const unit = (i: number) => (i < text.length ? text.charCodeAt(i) : 0);
    let key0 = this.#key0;
    let key1 = this.#key1;
    let start = 0;
    do {
      // The length that remains ends the chain unambiguously: no label is the beginning of another.
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
   * `out[i]` depends on the seed and on `offset + i` alone. The numbers are the odd multiples of 2^-53, in
   * a `Float32Array` those of 2^-24: neither 0 nor 1 occurs, and the mean is exactly 1/2.
   */
  uniform<T extends Float32Array | Float64Array>(out: T, options: { offset?: number } = {}): T {
    return this.#fill("uniform", options.offset ?? 0, out);
  }

  /**
   * Fills `out` with standard normal numbers and returns it.
   *
   * `out[i]` depends on the seed and on `offset + i` alone; a `Float32Array` receives the float64 numbers,
   * rounded. Both tails reach 8.57 standard deviations (beyond which the normal has a mass of 1e-17). No function
   * of `Math` takes part, so the numbers are the same in every engine.
   *
   * Reference: Box and Muller, "A note on the generation of random normal deviates", 1958.
   */
  normal<T extends Float32Array | Float64Array>(out: T, options: { offset?: number } = {}): T {
    return this.#fill("normal", options.offset ?? 0, out);
  }

  /** The numbers 0 to `n - 1` in random order; all `n!` orders are equally likely (Fisher and Yates). */
  permutation(n: number): Int32Array {
    if (!Number.isInteger(n) || n < 0 || n > 2 ** 31) {
      throw new PushforwardError("ARGUMENT", "No permutation has this length", {
        expected: "a whole number from 0 to 2^31",
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
      // Words from the last, incomplete run of `choices` are drawn again: the remainder is unbiased.
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

  /** What `fill` needs to give the numbers of `uniform` or `normal`, wherever it runs. */
  stream(kind: "uniform" | "normal"): readonly [use: number, key0: number, key1: number] {
    return [kind === "normal" ? NORMAL : UNIFORM, this.#key0, this.#key1];
  }

  #fill<T extends Float32Array | Float64Array>(kind: "uniform" | "normal", offset: number, out: T): T {
    checkOffset(offset);
    fill(loadKernel(), this.stream(kind), offset, out);
    return out;
  }

  #block(index: number, use: number): void {
    philox4x32(index, index / 0x100000000, use, 0, this.#key0, this.#key1, words);
  }
}

function checkOffset(offset: number): void {
  if (!Number.isSafeInteger(offset) || offset < 0) {
    throw new PushforwardError("ARGUMENT", "An offset does not fit", {
      expected: "a whole number from 0 to 2^53 - 1",
      received: `${offset}`,
    });
  }
}
