import { expect } from "vitest";
import type { Shape, Tensor } from "../../src/graph/index.ts";
import { Parameter } from "../../src/graph/parameter.ts";
import { Random } from "../../src/random/index.ts";
import { compile, type Floats } from "../../src/runtime/index.ts";

/** Compiles a function, calls it once and returns its outputs as plain arrays. */
export async function run<K extends string>(
  build: (...inputs: Tensor[]) => Record<K, Tensor>,
  shapes: readonly Shape[],
  inputs: readonly ArrayLike<number>[],
  precision: "float32" | "float64" = "float64",
): Promise<Record<K, number[]>> {
  const compiled = compile(build, shapes, { precision });
  const outputs = (await compiled(...inputs)) as Record<string, Floats>;
  await compiled.release();
  return Object.fromEntries(Object.entries(outputs).map(([k, v]) => [k, [...v]])) as Record<K, number[]>;
}

/** Expects each number within `tolerance` of the expected one, relative to it if it is above 1, or the same NaN or infinity. */
export function expectClose(actual: ArrayLike<number>, expected: ArrayLike<number>, tolerance = 1e-14): void {
  const near = (a: number, e: number) =>
    Object.is(a, e) || Math.abs(a - e) <= tolerance * Math.max(1, Math.abs(e));
  if (actual.length === expected.length && Array.from(actual).every((a, i) => near(a, expected[i]))) return;
  expect(Array.from(actual)).toEqual(Array.from(expected));
}

/** A parameter whose numbers depend only on its shape. */
export function parameter(...shape: number[]): Parameter {
  const values = new Float64Array(shape.reduce((a, b) => a * b));
  return new Parameter(shape, new Random(1).split(shape.join()).normal(values));
}

/** x W plus a bias, or plus another tensor. */
export const layer = (x: Tensor, columns: number, sum: Tensor = parameter(columns)): Tensor =>
  x.affine(parameter(x.shape[1] as number, columns), sum);
