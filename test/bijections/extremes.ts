import type { Precision } from "../../src/onnx/export.ts";

/** Bounds and starts in the examples: rows at and next to these values test the boundaries. */
const CORNERS = [0.5, 1, 3, Math.PI, 4];
/** Knots of the splines with initial parameters, whose bins have equal width. */
const KNOTS = [0.6, 1, 1.5, 1.8, Math.PI / 2];

/** Numbers that often break numeric code: zeros, very small and very large ones, boundaries and the floats next to them. */
export function extremeValues(precision: Precision): number[] {
  const corners = CORNERS.flatMap((c) => [nextFloat(c, -1, precision), c, nextFloat(c, 1, precision)]);
  return [0, -0, 1e-30, 1e-38, 1e6, 1e15, 1e30, ...corners, ...KNOTS].flatMap((v) => [v, -v]);
}

/** Rows of `features` numbers: each extreme value in all columns, and in one column with ordinary numbers in the others. */
export function extremeRows(features: number, precision: Precision): Float64Array {
  const rows = extremeValues(precision).flatMap((value, i) => [
    new Array(features).fill(value),
    ...Array.from({ length: features }, (_, column) =>
      Array.from({ length: features }, (_, j) => (j === column ? value : Math.sin(i + j))),
    ),
  ]);
  return Float64Array.from(rows.flat());
}

/** The next larger (`direction` 1) or smaller (-1) float. */
export function nextFloat(value: number, direction: 1 | -1, precision: Precision): number {
  const floats = precision === "float64" ? new Float64Array([value]) : new Float32Array([value]);
  const bits = precision === "float64" ? new BigInt64Array(floats.buffer) : new Int32Array(floats.buffer);
  const step = floats[0] > 0 ? direction : -direction;
  if (bits instanceof BigInt64Array) bits[0] += BigInt(step);
  else bits[0] += step;
  return floats[0];
}
