import { PushforwardError } from "../../check/index.ts";
import { ElementType, type Emitter, type Operation } from "../operation.ts";
import { formatShape } from "../shape.ts";
import { apply, constantMatrix, scalar, type Tensor } from "../tensor.ts";
import { sumOverPixels } from "./sumOverPixels.ts";

/** PyTorch's default. It is added to the variance, so that the result is finite if all numbers are equal. */
const EPSILON = 1e-5;

/**
 * Layer normalization (Ba et al. 2016) over the last axis of C numbers: y = (x - mean) / sqrt(variance + 1e-5) * scale + shift,
 * x [..., C], scale [C], shift [C] -> [..., C].
 */
export const layerNormalization = (x: Tensor, scale: Tensor, shift: Tensor): Tensor =>
  x.rank === 1
    ? layerNormalization(x.reshape([1, x.shape[0]]), scale, shift).reshape(x.shape)
    : apply(operation, [x, scale, shift], {});

const operation: Operation = {
  name: "layerNormalization",
  needsFullGradient: true,
  shape([x, scale]) {
    if (x.shape.at(-1) === scale.shape[0]) return x.shape;
    throw new PushforwardError(
      "SHAPE",
      "the last axis of the input of a layer normalization has a wrong size",
      {
        expected: `[..., ${scale.shape[0]}]`,
        received: formatShape(x.shape),
      },
    );
  },
  gradient: (g, [x, scale]) => [
    gradientOfInput(g, x, scale),
    sumOverPixels(g.mul(apply(standardized, [x], {}))),
    sumOverPixels(g),
  ],
  expand: ([x, scale, shift]) => timesDiagonal(apply(standardized, [x], {}), scale, shift),
  emit: (onnx, inputs) => onnx.node("LayerNormalization", inputs, ATTRIBUTES),
};

/** Up to this size, a product with a matrix takes less time than elementwise products with a broadcast row or column. */
const MAX_MATRIX_SIZE = 64;

/** normalized * scale + shift. */
function timesDiagonal(normalized: Tensor, scale: Tensor, shift: Tensor): Tensor {
  const size = scale.shape[0] as number;
  return size <= MAX_MATRIX_SIZE
    ? normalized.affine(
        scaledRows(scale, (i, j) => (i === j ? 1 : 0)),
        shift,
      )
    : normalized.mul(scale).add(shift);
}

/** The gradient with respect to x: (g scale - mean(g scale) - normalized mean(g scale normalized)) / deviation, with means of rows. */
function gradientOfInput(g: Tensor, x: Tensor, scale: Tensor): Tensor {
  const size = scale.shape[0] as number;
  const normalized = apply(standardized, [x], {});
  const isSmall = size <= MAX_MATRIX_SIZE;
  const meanTimesScale = (values: Tensor) =>
    isSmall
      ? values.matmul(scaledRows(scale, () => 1 / size))
      : values.matmul(scale.reshape([size, 1])).mul(1 / size);
  const centered = isSmall
    ? g.matmul(scaledRows(scale, (i, j) => (i === j ? 1 : 0) - 1 / size))
    : g.mul(scale).sub(meanTimesScale(g));
  return centered
    .sub(normalized.mul(meanTimesScale(g.mul(normalized))))
    .mul(apply(inverseDeviation, [x], {}));
}

/** The matrix [C, C] with scale_i f(i, j) in row i and column j. */
function scaledRows(scale: Tensor, f: (i: number, j: number) => number): Tensor {
  const size = scale.shape[0] as number;
  return constantMatrix(size, size, f).mul(scale.reshape([size, 1]));
}

/** Each row less its mean, divided by its standard deviation: [..., C] -> [..., C]. */
const standardized: Operation = {
  name: "standardized",
  needsFullGradient: true,
  shape: ([x]) => x.shape,
  gradient: (g, [x]) => [gradientOfInput(g, x, ones(x))],
  emit: (onnx, [x], _attributes, [{ shape }]) => emitStandardized(onnx, x, shape.at(-1) as number).normalized,
};

/** 1 / sqrt(variance + 1e-5) of each row: [..., C] -> [..., 1]. */
const inverseDeviation: Operation = {
  name: "inverseDeviation",
  shape: ([x]) => [...x.shape.slice(0, -1), 1],
  gradient: (g, [x], inverse) => [
    g
      .mul(inverse.square())
      .mul(-1 / (x.shape.at(-1) as number))
      .mul(apply(standardized, [x], {})),
  ],
  emit: (onnx, [x], _attributes, [{ shape }]) => emitStandardized(onnx, x, shape.at(-1) as number).inverse,
};

const ones = (x: Tensor): Tensor => scalar(1).broadcastTo([x.shape.at(-1)!]);

const ATTRIBUTES = { axis: -1, epsilon: { float: EPSILON } };

/**
 * LayerNormalization returns the normalized rows, their means and the reciprocals of their deviations (output 2). In float64, the nodes are
 * written one by one, because the runtime returns these reciprocals in float32.
 */
function emitStandardized(onnx: Emitter, x: string, size: number): { normalized: string; inverse: string } {
  if (onnx.floatType === ElementType.FLOAT) {
    const inputs = [x, onnx.filled(1, [size]), onnx.filled(0, [size])];
    const normalized = onnx.node("LayerNormalization", inputs, ATTRIBUTES, 3);
    return { normalized, inverse: `${normalized}.2` };
  }
  const axis = onnx.integers([-1]);
  const mean = (value: string) => onnx.node("ReduceMean", [value, axis], { keepdims: 1 });
  const centered = onnx.node("Sub", [x, mean(x)]);
  const variance = mean(onnx.node("Mul", [centered, centered]));
  const deviation = onnx.node("Sqrt", [onnx.node("Add", [variance, onnx.scalar(EPSILON)])]);
  return {
    normalized: onnx.node("Div", [centered, deviation]),
    inverse: onnx.node("Reciprocal", [deviation]),
  };
}
