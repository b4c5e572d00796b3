/** The values of rows as they are stored: as 64-bit numbers, or pixels as bytes. */
export type StoredValues = Float64Array | Uint8Array;

/** The rows with these indices of numbers [N, width] in row-major order. */
export function selectRows(
  values: Float64Array,
  rows: ArrayLike<number>,
  width: number,
): Float64Array<ArrayBuffer>;
export function selectRows(
  values: StoredValues,
  rows: ArrayLike<number>,
  width: number,
): Float64Array<ArrayBuffer> | Uint8Array<ArrayBuffer>;
export function selectRows(
  values: StoredValues,
  rows: ArrayLike<number>,
  width: number,
): Float64Array<ArrayBuffer> | Uint8Array<ArrayBuffer> {
  const selected = emptyLike(values, rows.length * width);
  for (let n = 0; n < rows.length; n++)
    selected.set(values.subarray(rows[n]! * width, (rows[n]! + 1) * width), n * width);
  return selected;
}

/** Zeros of the type of an array. */
export const emptyLike = (
  numbers: StoredValues,
  length: number,
): Float64Array<ArrayBuffer> | Uint8Array<ArrayBuffer> =>
  numbers instanceof Uint8Array ? new Uint8Array(length) : new Float64Array(length);
