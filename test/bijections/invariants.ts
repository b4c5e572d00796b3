import { expect } from "vitest";
import type { RoundTrips } from "../../src/bijections/bijectionGraphs.ts";
import { logAbsDeterminant } from "../../src/bijections/determinant.ts";
import type { Bijection } from "../../src/bijections/index.ts";
import { parametersOf } from "../../src/nn/module.ts";
import { Random } from "../../src/random/index.ts";
import type { Floats } from "../../src/runtime/compile.ts";

export const ROWS = 24;

/** Latent and data rows [ROWS, D] and contexts [ROWS, C]: normal numbers, every fourth row three times as large. */
export function rowsFor({ features, context }: Pick<Bijection, "features" | "context">, scale = 1) {
  const random = new Random(5);
  const normal = (name: string, size: number) => random.split(name).normal(new Float64Array(ROWS * size));
  const spread = (values: Float64Array) =>
    values.map((x, i) => scale * x * (Math.floor(i / features) % 4 === 0 ? 3 : 1));
  return {
    z: spread(normal("z", features)),
    x: spread(normal("x", features)),
    context: normal("context", context),
  };
}

export type Rows = ReturnType<typeof rowsFor>;

/** Expects each direction to invert the other, with opposite log-determinants. */
export function expectRoundTrips(out: RoundTrips, rows: Rows, tolerance: number): void {
  const negated = (values: Floats) => values.map((v) => -v);
  expectClose(out.z, rows.z, tolerance, "z -> x -> z");
  expectClose(out.x, rows.x, tolerance, "x -> z -> x");
  expectClose(negated(out.fromDataLogDet), out.forwardLogDet, 10 * tolerance, "log-det from z and back");
  expectClose(negated(out.fromLatentLogDet), out.inverseLogDet, 10 * tolerance, "log-det from x and back");
}

/** Expects `logDet` [ROWS] to be log |det| of each of the matrices [ROWS, size, size]. */
export function expectLogDeterminants(matrices: Floats, logDet: Floats, size: number): void {
  const determinants = Float64Array.from(logDet, (_, row) =>
    logAbsDeterminant(matrices.subarray(row * size * size, (row + 1) * size * size), size),
  );
  expectClose(logDet, determinants, 1e-9, "log-det");
}

/** Expects |a - b| <= tolerance max(1, |b|) for all numbers; a NaN is never close. */
export function expectClose(
  actual: ArrayLike<number>,
  expected: ArrayLike<number>,
  tolerance: number,
  what: string,
): void {
  expect(actual.length, what).toBe(expected.length);
  const errorAt = (i: number) => {
    const error = Math.abs(actual[i] - expected[i]) / Math.max(1, Math.abs(expected[i]));
    return Number.isNaN(error) ? Number.POSITIVE_INFINITY : error;
  };
  let worst = 0;
  for (let i = 1; i < expected.length; i++) if (errorAt(i) > errorAt(worst)) worst = i;
  if (expected.length === 0 || errorAt(worst) <= tolerance) return;
  expect.fail(
    `${what}: number ${worst} is ${actual[worst]}, not ${expected[worst]}: off by ${errorAt(worst)}`,
  );
}

export const allFinite = (values: ArrayLike<number>): boolean => Array.from(values).every(Number.isFinite);

/** Copies the values of all parameters from one module to the parameters of the same names in another. */
export function copyParameters(from: object, to: object): void {
  const targets = parametersOf(to);
  const sources = parametersOf(from);
  expect([...targets.keys()]).toEqual([...sources.keys()]);
  for (const [name, parameter] of sources) targets.get(name)!.value = parameter.value.slice();
}
