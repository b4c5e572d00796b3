// Operations without inputs: the leaves of a graph, apart from parameters.
import type { Operation } from "../operation.ts";
import type { Shape } from "../shape.ts";
import type { Tensor } from "../tensor.ts";

/** A placeholder whose numbers are passed in when the graph runs. */
export const input: Operation<{ readonly shape: Shape }> = {
  name: "input",
  shape: (_inputs, { shape }) => shape,
  emit: () => {
    throw new Error("the exporter declares the inputs of a graph");
  },
};

export const isInput = ({ operation }: Tensor): boolean => operation === input;

/** Fixed numbers in row-major order. */
export const constant: Operation<{ readonly shape: Shape; readonly values: readonly number[] }> = {
  name: "constant",
  shape: (_inputs, { shape }) => shape,
  emit: () => {
    throw new Error("a constant is not an ONNX node: the exporter stores it as an initializer");
  },
};

/** The values of a constant in row-major order; undefined for any other tensor. */
export const constantValues = ({ operation, attributes }: Tensor): readonly number[] | undefined =>
  operation === constant ? (attributes.values as readonly number[]) : undefined;

/** The value of a constant of shape []; undefined for any other tensor. */
export const scalarValue = (tensor: Tensor): number | undefined =>
  tensor.rank === 0 ? constantValues(tensor)?.[0] : undefined;

/** The number of rows N as a float of shape []. It is an operation because N is known only when the graph runs. */
export const batchSize: Operation<Record<string, never>> = {
  name: "batchSize",
  shape: () => [],
  emit: (onnx) => {
    const size = onnx.node("Cast", [onnx.shape(["N"])], { to: onnx.floatType });
    // `size` is a vector of shape [1]. The sum over its only element has shape [].
    return onnx.node("ReduceSum", [size], { keepdims: 0 });
  },
};

/**
 * Machine epsilon, the distance from 1 to the next larger number: 2^-23 in float32 and 2^-52 in float64, of shape []. It is an
 * operation and not a constant because a graph is traced before the precision of its compilation is known.
 */
export const epsilon: Operation<Record<string, never>> = {
  name: "epsilon",
  shape: () => [],
  emit: (onnx) => onnx.scalar(onnx.epsilon),
};
