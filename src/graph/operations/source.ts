import type { Operation } from "../operation.ts";
import type { Shape } from "../shape.ts";
import type { Tensor } from "../tensor.ts";

/** A tensor whose numbers are passed in when the graph runs. */
export const input: Operation<{ readonly shape: Shape }> = {
  name: "input",
  shape: (_inputs, { shape }) => shape,
  emit: () => {
    throw new Error("inputs are written by the exporter");
  },
};

export const isInput = ({ operation }: Tensor): boolean => operation === input;

/** Fixed numbers in row-major order. */
export const constant: Operation<{ readonly shape: Shape; readonly values: readonly number[] }> = {
  name: "constant",
  shape: (_inputs, { shape }) => shape,
  emit: () => {
    throw new Error("constants are written by the exporter");
  },
};

/** The numbers of a constant; undefined for any other tensor. */
export const constantValues = ({ operation, attributes }: Tensor): readonly number[] | undefined =>
  operation === constant ? (attributes.values as readonly number[]) : undefined;

/** The number of a constant of shape []; undefined for any other tensor. */
export const scalarValue = (tensor: Tensor): number | undefined =>
  tensor.rank === 0 ? constantValues(tensor)?.[0] : undefined;

/** The number of rows N, as a scalar. */
export const batchSize: Operation<Record<string, never>> = {
  name: "batchSize",
  shape: () => [],
  emit: (onnx) =>
    onnx.node("ReduceSum", [onnx.node("Cast", [onnx.shape(["N"])], { to: onnx.floatType })], { keepdims: 0 }),
};

/** The distance from 1 to the next number of the precision that the graph is compiled to, as a scalar. */
export const epsilon: Operation<Record<string, never>> = {
  name: "epsilon",
  shape: () => [],
  emit: (onnx) => onnx.scalar(onnx.epsilon),
};
