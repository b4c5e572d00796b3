import { brief, PushforwardError } from "../check/index.ts";
import { constant, Tensor } from "../graph/index.ts";

/** A number, an array, or arrays of arrays, row by row. */
type NestedNumbers = number | ArrayLike<number> | readonly NestedNumbers[];

/** Numbers, or a tensor. */
export type DataInput = Tensor | NestedNumbers;

/**
 * Observed data as a constant tensor, in the shape of the nested arrays: `data([1, 2, 3])` is [3], and `data([[1, 2], [3, 4]])` is
 * [2, 2]. A tensor is returned as it is.
 *
 * @throws SHAPE when the arrays have different lengths; DATA for NaN, infinite numbers and values that are not numbers.
 */
export function data(values: DataInput): Tensor {
  if (values instanceof Tensor) return values;
  const shape: number[] = [];
  for (let level: unknown = values; isArray(level); level = level[0]) shape.push(level.length);
  const numbers: number[] = [];
  const collect = (value: unknown, axis: number): void => {
    if (axis === shape.length) {
      numbers.push(checkedNumber(value));
    } else if (isArray(value) && value.length === shape[axis]) {
      for (let i = 0; i < value.length; i++) collect(value[i], axis + 1);
    } else {
      throw new PushforwardError("SHAPE", "the arrays of the data have different lengths", {
        expected: `${shape[axis]} values in each array of axis ${axis}`,
        received: isArray(value) ? `${value.length}` : brief(value),
      });
    }
  };
  collect(values, 0);
  return constant(numbers, shape);
}

const isArray = (value: unknown): value is ArrayLike<unknown> =>
  Array.isArray(value) || (ArrayBuffer.isView(value) && "length" in value);

function checkedNumber(value: unknown): number {
  if (typeof value === "number" && Number.isFinite(value)) return value;
  throw new PushforwardError("DATA", "the data have a value that is not a finite number", {
    expected: "finite numbers",
    received: brief(value),
    hint: "Leave out missing values, or declare them as parameters.",
  });
}
