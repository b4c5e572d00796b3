import type { Operation } from "../operation.ts";
import type { Shape } from "../shape.ts";

/** A tensor that is given when the graph runs. Its name is that of the tensor. */
export const input: Operation<{ readonly shape: Shape }> = {
  name: "input",
  shape: (_inputs, { shape }) => shape,
  emit: () => {
    throw new Error("inputs are written by the exporter");
  },
};

/** Fixed numbers; a scalar is written inline. */
export const constant: Operation<{ readonly shape: Shape; readonly values: readonly number[] }> = {
  name: "constant",
  shape: (_inputs, { shape }) => shape,
  emit: () => {
    throw new Error("constants are written by the exporter");
  },
};

/** The number of rows N, as a scalar. */
export const batchSize: Operation<Record<string, never>> = {
  name: "batchSize",
  shape: () => [],
  emit: (onnx) =>
    onnx.node("ReduceSum", [onnx.node("Cast", [onnx.shape(["N"])], { to: onnx.floatType })], { keepdims: 0 }),
};
