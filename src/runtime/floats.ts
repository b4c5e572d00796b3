import type { Floats } from "../graph/index.ts";
import type { Precision } from "../onnx/index.ts";

export interface FloatsConstructor {
  readonly name: string;
  readonly BYTES_PER_ELEMENT: number;
  new (memory: number | ArrayBufferLike): Floats;
  from(values: ArrayLike<number>): Floats;
}

/** The type of the arrays of a precision. */
export const floatsOf = (precision: Precision): FloatsConstructor =>
  precision === "float64" ? Float64Array : Float32Array;
