import { PushforwardError } from "../../errors.ts";
import type { Operation } from "../operation.ts";
import { formatShape } from "../shape.ts";
import { apply, type Tensor } from "../tensor.ts";

/** PyTorch's default. It is added to the variance, so that the result is finite if all numbers are equal. */
const EPSILON = 1e-5;

/**
 * Layer normalization (Ba et al. 2016) over the last axis of C numbers: y = (x - mean) / sqrt(variance + 1e-5) * scale + shift,
 * x [..., C], scale [C], shift [C] -> [..., C].
 */
export const layerNormalization = (x: Tensor, scale: Tensor, shift: Tensor): Tensor =>
  apply(operation, [x, scale, shift], {});

/**
 * If the scale and the shift are constants of the graph, the runtime's own normalization is used, one node in place of nine: a transformer that
 * computes token by token has one for each token. For the many rows of a training step, the nine nodes take as long.
 */
const operation: Operation = {
  name: "layerNormalization",
  needsFullGradient: true,
  shape([x, scale]) {
    if (x.shape.at(-1) === scale.shape[0]) return x.shape;
    throw new PushforwardError("SHAPE", "layer normalization has a wrong size", {
      expected: `${scale.shape[0]} numbers in the last axis`,
      received: formatShape(x.shape),
    });
  },
  gradient(g, [x, scale]) {
    const { normalized, deviation } = standardized(x);
    const scaled = g.mul(scale);
    const rowMean = (values: Tensor) => values.mean(-1, { keepAxes: true });
    const projected = normalized.mul(rowMean(scaled.mul(normalized)));
    const leadingAxes = Array.from({ length: x.rank - 1 }, (_, axis) => axis);
    return [
      scaled.sub(rowMean(scaled)).sub(projected).div(deviation),
      g.mul(normalized).sum(leadingAxes),
      g.sum(leadingAxes),
    ];
  },
  expand: ([x, scale, shift]) => standardized(x).normalized.mul(scale).add(shift),
  emit: (onnx, inputs) => onnx.node("LayerNormalization", inputs, { axis: -1, epsilon: { float: EPSILON } }),
};

/** Each row less its mean, divided by its standard deviation, and this standard deviation [..., 1]. */
function standardized(x: Tensor): { normalized: Tensor; deviation: Tensor } {
  const centered = x.sub(x.mean(-1, { keepAxes: true }));
  const deviation = centered.square().mean(-1, { keepAxes: true }).add(EPSILON).sqrt();
  // A product with the reciprocal would have a gradient of NaN where the variance is infinite.
  return { normalized: centered.div(deviation), deviation };
}
