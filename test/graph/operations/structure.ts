import fc from "fast-check";
import {
  batchSize,
  concat,
  constant,
  filled,
  type Shape,
  stack,
  type Tensor,
} from "../../../src/graph/index.ts";
import { count, Dense, map, sumOver, tabulate } from "../dense.ts";
import {
  axisOf,
  broadcastableTo,
  type OperationRow,
  real,
  type Sizes,
  shapes,
  show,
  size,
  sizes,
} from "./row.ts";

/** Size of an axis, which parts of 1, 2, 3, 4 and 6 divide. */
const AXIS_SIZE = 12;

export const structure: readonly OperationRow[] = [
  {
    name: "reshape",
    domain: real,
    example: (batched) =>
      fc.tuple(sizes(0, 3), fc.constantFrom("flat", "reversed", "ones")).map(([rest, how]) => {
        const flat = rest.reduce((a, b) => a * b, 1);
        const target = how === "flat" ? [flat] : how === "reversed" ? rest.toReversed() : [1, ...rest, 1];
        const leading: Shape = batched ? ["N"] : [];
        return {
          shapes: [[...leading, ...rest]],
          given: show(rest, target),
          build: (x) => x.reshape([...leading, ...target]),
          evaluate: (x) => new Dense([...x.shape.slice(0, leading.length), ...target], x.data),
        };
      }),
  },
  {
    name: "transpose",
    domain: real,
    example: (batched) =>
      shapes(batched, batched ? 4 : 3, 4).chain((shape) => {
        const inner = shape.map((_, i) => i).slice(batched ? 1 : 0);
        return fc.shuffledSubarray(inner, { minLength: inner.length }).map((order) => {
          const full = batched ? [0, ...order] : order;
          const reversed = full.every((axis, i) => axis === full.length - 1 - i);
          return {
            shapes: [shape],
            given: show(shape, full),
            build: (x) => (reversed ? x.transpose() : x.transpose(full)),
            evaluate: (x) =>
              tabulate(
                full.map((axis) => x.shape[axis]),
                (position) => x.at(full.map((_, axis) => position[full.indexOf(axis)])),
              ),
          };
        });
      }),
  },
  rearrangement(
    "slice",
    (size) =>
      fc.tuple(fc.nat(size - 1), fc.integer({ min: 1, max: size })).map(([a, b]) => [Math.min(a, b - 1), b]),
    (x, axis, [start, end]) => x.slice(axis, start, end),
    (_size, [start, end]) => end - start,
    (position, _size, [start]) => position + start,
  ),
  rearrangement(
    "split",
    (size) => fc.nat(size),
    (x, axis, cut) =>
      concat(
        x
          .split(axis - x.rank, [cut, (x.shape[axis] as number) - cut])
          .filter((part) => part.shape[axis] !== 0)
          .reverse(),
        axis,
      ),
    (size) => size,
    (position, size, cut) => (position + cut) % size,
  ),
  rearrangement(
    "pad",
    () => fc.tuple(fc.nat(2), fc.nat(2)),
    (x, axis, [before, after]) => x.pad(axis, before, after),
    (size, [before, after]) => size + before + after,
    (position, _size, [before]) => position - before,
  ),
  rearrangement(
    "gather (permutation)",
    (size) => fc.shuffledSubarray(range(size), { minLength: size }),
    (x, axis, indices) => x.gather(axis, indices),
    (_size, indices) => indices.length,
    (position, _size, indices) => indices[position],
  ),
  rearrangement(
    "gather (subset)",
    (size) => fc.shuffledSubarray(range(size), { minLength: 1 }),
    (x, axis, indices) => x.gather(axis, indices),
    (_size, indices) => indices.length,
    (position, _size, indices) => indices[position],
  ),
  rearrangement(
    "gather (repetition)",
    (size) => fc.array(fc.nat(size - 1), { minLength: 1, maxLength: 7 }),
    (x, axis, indices) => x.gather(axis, Int32Array.from(indices)),
    (_size, indices) => indices.length,
    (position, _size, indices) => indices[position],
  ),
  rearrangement(
    "gather (many repetitions, whose gradient is a product)",
    (size) => fc.array(fc.nat(size - 1), { minLength: 9 * size, maxLength: 12 * size }),
    (x, axis, indices) => x.gather(axis, indices),
    (_size, indices) => indices.length,
    (position, _size, indices) => indices[position],
  ),
  rearrangement(
    "gather (long stretches of what is joined)",
    (size) => fc.array(fc.nat(2 * size), { minLength: 1, maxLength: 3 }),
    (x, axis, starts) =>
      concat(new Array(AXIS_SIZE + 2).fill(x), axis).gather(
        axis,
        starts.flatMap((start) => range(AXIS_SIZE).map((i) => start + i)),
      ),
    (_size, starts) => AXIS_SIZE * starts.length,
    (position, size, starts) => (starts[Math.floor(position / AXIS_SIZE)] + (position % AXIS_SIZE)) % size,
  ),
  rearrangement(
    "permute",
    (size) => fc.shuffledSubarray(range(size), { minLength: size }),
    (x, axis, indices) =>
      x.permute(
        axis,
        constant(indices, [indices.length]),
        constant(
          indices.map((_, i) => indices.indexOf(i)),
          [indices.length],
        ),
      ),
    (size) => size,
    (position, _size, indices) => indices[position],
  ),
  rearrangement(
    "flip",
    () => fc.constant(null),
    (x, axis) => x.flip(axis),
    (size) => size,
    (position, size) => size - 1 - position,
  ),
  {
    name: "broadcastTo",
    domain: real,
    example: (batched) =>
      shapes(batched, 0, 4).chain((full) =>
        broadcastableTo(full).map((shape) => ({
          // If the first input has no batch axis, a second one defines the number of rows.
          shapes: [shape, full],
          given: show(shape, full),
          build: (x, other) => x.broadcastTo(full).mul(other),
          evaluate: (x, other) => map((a, b) => a * b, x, other),
        })),
      ),
  },
  {
    name: "concat",
    domain: real,
    example: (batched) =>
      shapes(batched, 2, 4).chain((shape) =>
        fc
          .tuple(axisOf(shape, true), fc.array(size, { minLength: 1, maxLength: 3 }))
          .map(([axis, lengths]) => ({
            shapes: lengths.map((length) => shape.with(axis, length)),
            given: show(shape, axis, lengths),
            build: (...parts) => concat(parts, axis - shape.length),
            evaluate: (...parts) =>
              tabulate(
                parts[0].shape.with(
                  axis,
                  sumOver(lengths.length, (k) => lengths[k]),
                ),
                (position) => {
                  let place = position[axis];
                  const part = parts.find(({ shape }) => {
                    if (place < shape[axis]) return true;
                    place -= shape[axis];
                    return false;
                  });
                  return part!.at(position.with(axis, place));
                },
              ),
          })),
      ),
  },
  {
    name: "stack",
    domain: real,
    example: (batched) =>
      shapes(batched, 0, 3).chain((shape) =>
        fc.tuple(fc.integer({ min: batched ? 1 : 0, max: shape.length }), size).map(([axis, parts]) => ({
          shapes: Array.from({ length: parts }, () => shape),
          given: show(shape, axis, parts),
          build: (...xs) => stack(xs, axis === shape.length ? -1 : axis),
          evaluate: (...xs) =>
            tabulate(xs[0].shape.toSpliced(axis, 0, parts), (position) =>
              xs[position[axis]].at(position.toSpliced(axis, 1)),
            ),
        })),
      ),
  },
  {
    name: "constant",
    domain: real,
    example: (batched) =>
      shapes(batched, 1, 3).map((shape) => {
        const fixed = shape.slice(batched ? 1 : 0) as Sizes;
        const values = tabulate(fixed, (position) => 1 + count(position.map((i) => i + 1)) / 8);
        return {
          shapes: [shape],
          given: show(shape),
          build: (x) => x.mul(constant(values.data, fixed)),
          evaluate: (x) => map((a, b) => a * b, x, values),
        };
      }),
  },
  {
    name: "filled",
    domain: real,
    example: (batched) =>
      shapes(batched, 0, 3).map((shape) => ({
        shapes: [shape],
        given: show(shape),
        build: (x) => x.add(filled(0.75, shape)),
        evaluate: (x) => map((a) => a + 0.75, x),
      })),
  },
  {
    name: "batchSize",
    domain: real,
    example: (batched) =>
      shapes(batched, 0, 3).map((shape) => ({
        shapes: [shape],
        given: show(shape),
        build: (x) => (batched ? x.mul(batchSize()) : x),
        evaluate: (x) => map((a) => (batched ? a * x.shape[0] : a), x),
      })),
  },
];

/** Rearranges one axis: `from` maps a position of the result to one of the input, or to undefined for 0. */
function rearrangement<A>(
  name: string,
  args: (size: number) => fc.Arbitrary<A>,
  build: (x: Tensor, axis: number, a: A) => Tensor,
  length: (size: number, a: A) => number,
  from: (position: number, size: number, a: A) => number,
): OperationRow {
  return {
    name,
    domain: real,
    example: (batched) =>
      shapes(batched, 2, 4).chain((shape) =>
        axisOf(shape, true).chain((axis) => {
          const size = shape[axis] as number;
          return args(size).map((a) => ({
            shapes: [shape],
            given: show(shape, axis, a),
            build: (x) => build(x, axis, a),
            evaluate: (x) =>
              tabulate(x.shape.with(axis, length(size, a)), (position) => {
                const source = from(position[axis], size, a);
                return source < 0 || source >= size ? 0 : x.at(position.with(axis, source));
              }),
          }));
        }),
      ),
  };
}

function range(size: number): number[] {
  return Array.from({ length: size }, (_, i) => i);
}
