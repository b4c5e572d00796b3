import fc from "fast-check";
import type { Shape, Tensor } from "../../../src/graph/index.ts";
import type { Random } from "../../../src/random/random.ts";
import type { Dense } from "../dense.ts";

/** One call of an operation: shapes, arguments, and the formula with tensors and in plain JavaScript. */
export interface Example {
  readonly shapes: readonly Shape[];
  /** The arguments, shown if a check fails. */
  readonly given: string;
  readonly build: (...inputs: Tensor[]) => Tensor;
  readonly evaluate: (...inputs: Dense[]) => Dense;
}

export interface OperationRow {
  /** The method of Tensor, or the function, followed by a note if it has several rows. */
  readonly name: string;
  /** The domain of all inputs, or of each. */
  readonly domain: Domain | readonly Domain[];
  /** Size of the terms that cancel in the formula, which limits the precision of the result. */
  readonly terms?: number;
  /** False for functions with jumps, near which finite differences are wrong. */
  readonly differentiable?: false;
  readonly example: (batched: boolean) => fc.Arbitrary<Example>;
}

/** Draws `size` numbers. */
export type Domain = (size: number, random: Random) => Float64Array;

export const uniform =
  (low: number, high: number): Domain =>
  (size, random) =>
    random.uniform(new Float64Array(size)).map((u) => low + (high - low) * u);

export const real = uniform(-2, 2);
export const positive = uniform(0.4, 3);
/** At least 0.3 from 0. */
export const nonzero: Domain = (size, random) => real(size, random).map((v) => v + 0.3 * (Math.sign(v) || 1));
/** All different, and at least 0.02 from each other and from all multiples of 0.05. */
export const separated: Domain = (size, random) => {
  const order = random.permutation(Math.max(size, 80));
  return Float64Array.from({ length: size }, (_, i) => (order[i] - Math.max(size, 80) / 2 + 0.5) * 0.05);
};
/** Few different numbers, so that many are equal. */
export const repeated: Domain = (size, random) => uniform(-2.5, 2.5)(size, random).map(Math.round);

export type Sizes = readonly number[];
export const size = fc.integer({ min: 1, max: 4 });
export const sizes = (min: number, max: number): fc.Arbitrary<Sizes> =>
  fc.array(size, { minLength: min, maxLength: max });

/** A shape of `min` to `max` axes, N the first of them if `batched`. */
export const shapes = (batched: boolean, min: number, max: number): fc.Arbitrary<Shape> =>
  batched
    ? sizes(Math.max(0, min - 1), Math.max(0, max - 1)).map((rest): Shape => ["N", ...rest])
    : sizes(min, max);

/** `full` with some axes of size 1 and some leading axes missing. */
export const broadcastableTo = (full: Shape): fc.Arbitrary<Shape> =>
  fc
    .tuple(fc.nat(full.length), fc.array(fc.boolean(), { minLength: full.length, maxLength: full.length }))
    .map(([skip, one]) => full.map((d, i): Shape[number] => (one[i] ? 1 : d)).slice(skip));

/** Shapes that can be broadcast to one shape, which is among them. */
export const broadcastableShapes = (batched: boolean, inputs: number): fc.Arbitrary<Shape[]> =>
  shapes(batched, 0, 3).chain((full) =>
    fc
      .tuple(
        fc.nat(inputs - 1),
        fc.tuple(
          ...Array.from({ length: inputs - 1 }, () => fc.oneof(fc.constant(full), broadcastableTo(full))),
        ),
      )
      .map(([place, others]) => (others as Shape[]).toSpliced(place, 0, full)),
  );

/** An axis of the shape; with `inner` not the batch axis. */
export const axisOf = (shape: Shape, inner = false): fc.Arbitrary<number> =>
  fc.integer({ min: inner && shape[0] === "N" ? 1 : 0, max: shape.length - 1 });

export const show = (...values: unknown[]): string => values.map((v) => JSON.stringify(v)).join(" ");
