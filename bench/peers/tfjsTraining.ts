import * as tf from "@tensorflow/tfjs";
import {
  initialLayers,
  LOG_SCALE_BOUND,
  type MaskedLayer,
  type Numbers,
  type TrainingCase,
  type TrainingStep,
} from "./maf.ts";

interface Layer {
  readonly weight: tf.Tensor2D;
  readonly mask: tf.Tensor2D;
  readonly bias: tf.Tensor1D;
}

/** Training of a masked autoregressive flow in TensorFlow.js, on its current backend, to compare its speed with ours. */
export function tfjsTraining(settings: TrainingCase): TrainingStep {
  const { dim, batch } = settings;
  const conditioners = initialLayers(settings).map((layers) => layers.map(toLayer));
  const optimizer = tf.train.adam(1e-3, 0.9, 0.999, 1e-8);

  const loss = (rows: Numbers): tf.Scalar => {
    let z = tf.tensor2d(rows, [batch, dim]);
    let logDet = tf.scalar(0);
    for (const layers of conditioners) {
      const [shift, scale] = tf.split(network(layers, z), 2, 1);
      // The log-scale is clamped smoothly to +-LOG_SCALE_BOUND, as ours is.
      const logScale = scale.div(scale.abs().div(LOG_SCALE_BOUND).add(1));
      z = z.mul(logScale.exp()).add(shift);
      logDet = logDet.add(logScale.sum());
    }
    const constant = 0.5 * dim * Math.log(2 * Math.PI);
    return z.square().sum().mul(0.5).sub(logDet).div(batch).add(constant);
  };

  return async (rows) => {
    const cost = optimizer.minimize(() => loss(rows), true)!;
    const [value] = await cost.data();
    cost.dispose();
    return value;
  };
}

function toLayer({ inputs, outputs, weight, mask, bias }: MaskedLayer): Layer {
  return {
    weight: tf.variable(tf.tensor2d(weight, [inputs, outputs])),
    mask: tf.tensor2d(mask, [inputs, outputs]),
    bias: tf.variable(tf.tensor1d(bias)),
  };
}

function network(layers: readonly Layer[], x: tf.Tensor2D): tf.Tensor2D {
  return layers.reduce((a, { weight, mask, bias }, i) => {
    const value: tf.Tensor2D = product(a, weight.mul(mask)).add(bias);
    return i < layers.length - 1 ? value.relu() : value;
  }, x);
}

/**
 * The matrix product with a gradient of its own. The gradient of the library asks its wasm kernel to transpose the factors, which is
 * 6 to 8 times slower than to multiply transposed copies. This one copies first, and a step takes a quarter to half of the time.
 */
const product = tf.customGrad<tf.Tensor2D>((a, b, save) => {
  (save as (tensors: unknown[]) => void)([a, b]);
  return {
    value: tf.matMul(a as tf.Tensor2D, b as tf.Tensor2D),
    gradFunc: (dy, [a, b]) => [dy.matMul(b.transpose()), a.transpose().matMul(dy)],
  };
});
