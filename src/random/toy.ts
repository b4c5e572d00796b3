import { checkOptions, PushforwardError, seedValue } from "../check/index.ts";
import { Random } from "./random.ts";

/** Properties of a distribution in the plane. */
interface ToyProperties {
  /** Differential entropy in nats: the lowest mean negative log-likelihood that a model can have. */
  readonly entropy: number;
  /** log p in nats: [N, 2] -> [N], -Infinity outside the support. Undefined if there is no formula. */
  readonly logDensity?: (rows: ArrayLike<number>) => Float64Array;
  /** Ranges of x and y for figures, which contain all but a few thousandths of the rows. */
  readonly range: readonly [x: readonly [number, number], y: readonly [number, number]];
}

/**
 * A distribution in the plane for trying density models: a function that draws n rows, [n, 2].
 *
 * Row i depends only on the seed (default 0) and i, so the first 10 of 100 rows equal 10 rows. Throws `ARGUMENT` if n is not an
 * integer from 0 or the seed is not valid.
 */
export interface Toy extends ToyProperties {
  (n: number, options?: { seed?: number | bigint }): Float64Array;
}

/** How a row is computed from independent random numbers. */
interface Sampler {
  /** How many uniform and normal numbers a row needs. */
  readonly uniforms: number;
  readonly normals: number;
  row(uniform: Float64Array, normal: Float64Array): readonly [number, number];
}

/** A toy distribution from its sampler and its properties. */
export function toy<F extends ToyProperties>({ uniforms, normals, row }: Sampler, properties: F): Toy & F {
  const draw: (...args: Parameters<Toy>) => Float64Array = (n, options = {}) => {
    checkOptions("a toy distribution", options, { seed: seedValue });
    const { seed = 0 } = options;
    if (!Number.isInteger(n) || n < 0) {
      throw new PushforwardError("ARGUMENT", "the number of rows is not valid", {
        expected: "0, 1, 2, ...",
        received: `${n}`,
      });
    }
    const random = new Random(seed).split("toy");
    const uniform = random.uniform(new Float64Array(n * uniforms));
    const normal = random.normal(new Float64Array(n * normals));
    const rows = new Float64Array(2 * n);
    for (let i = 0; i < n; i++) {
      const [u, z] = [[uniform, uniforms] as const, [normal, normals] as const].map(([numbers, size]) =>
        numbers.subarray(i * size, (i + 1) * size),
      );
      rows.set(row(u!, z!), 2 * i);
    }
    return rows;
  };
  return Object.assign(draw, properties);
}

/** The log-densities of rows, from the log-density of a point. */
export const forRows =
  (logDensity: (x: number, y: number) => number) =>
  (rows: ArrayLike<number>): Float64Array =>
    Float64Array.from({ length: rows.length / 2 }, (_, i) => logDensity(rows[2 * i]!, rows[2 * i + 1]!));
