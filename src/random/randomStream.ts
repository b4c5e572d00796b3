import type { Random } from "./random.ts";

/** Numbers are drawn in blocks of this size, because one call of the kernel costs more time than a few numbers. */
const BLOCK = 32;

/** The random numbers of a program, one after the other: each call returns new numbers, unlike those of `Random`. */
export class RandomStream {
  readonly #uniform: () => number;
  readonly #normal: () => number;

  /** Streams of equal generators return equal numbers. */
  constructor(random: Random) {
    this.#uniform = oneByOne((out, offset) => random.uniform(out, { offset }));
    this.#normal = oneByOne((out, offset) => random.normal(out, { offset }));
  }

  /** A number from the uniform distribution on (0, 1), or `count` of them. */
  uniform(): number;
  uniform(count: number): Float64Array;
  uniform(count?: number): number | Float64Array {
    return count === undefined ? this.#uniform() : new Float64Array(count).map(this.#uniform);
  }

  /** A number from the standard normal distribution, or `count` of them. */
  normal(): number;
  normal(count: number): Float64Array;
  normal(count?: number): number | Float64Array {
    return count === undefined ? this.#normal() : new Float64Array(count).map(this.#normal);
  }
}

function oneByOne(fill: (out: Float64Array, offset: number) => void): () => number {
  const block = new Float64Array(BLOCK);
  let drawn = 0;
  return () => {
    if (drawn % BLOCK === 0) fill(block, drawn);
    return block[drawn++ % BLOCK];
  };
}
