import { PushforwardError } from "../errors.ts";
import { Random } from "./random.ts";

/** What is known of a distribution in the plane. */
interface Facts {
  /** Differential entropy in nats: the negative log-likelihood that no model can get below. */
  readonly entropy: number;
  /** log p in nats, a row each: [N, 2] -> [N]; -Infinity outside of the support. Absent where no formula is known. */
  readonly logDensity?: (rows: ArrayLike<number>) => Float64Array;
  /** Limits of x and of y between which all but some thousandths of the rows lie, for pictures. */
  readonly range: readonly [x: readonly [number, number], y: readonly [number, number]];
}

/**
 * A distribution in the plane to try density models on: called, it draws n rows, as [n, 2].
 *
 * Row i depends on the seed (default 0) and on i alone: the first 10 of 100 rows are those of 10. Throws `ARGUMENT` if n is
 * not a whole number from 0 or the seed does not fit.
 */
export interface Toy extends Facts {
  (n: number, options?: { seed?: number | bigint }): Float64Array;
}

interface Drawing {
  /** Numbers of each kind that a row is made of. */
  readonly uniforms: number;
  readonly normals: number;
  row(uniform: Float64Array, normal: Float64Array): readonly [number, number];
}

/** A toy from how a row is made of independent uniform and normal numbers, and what is known of it. */
export function toy<F extends Facts>({ uniforms, normals, row }: Drawing, facts: F): Toy & F {
  const draw: (...args: Parameters<Toy>) => Float64Array = (n, { seed = 0 } = {}) => {
    if (!Number.isInteger(n) || n < 0) {
      throw new PushforwardError("ARGUMENT", "a number of rows does not fit", {
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
  return Object.assign(draw, facts);
}

/** A log-density of one point as that of rows. */
export const byRow =
  (logDensity: (x: number, y: number) => number) =>
  (rows: ArrayLike<number>): Float64Array =>
    Float64Array.from({ length: rows.length / 2 }, (_, i) => logDensity(rows[2 * i]!, rows[2 * i + 1]!));
