import { diagonal, scalar, type Tensor, vjp } from "../graph/index.ts";
import { activate } from "./activation.ts";
import type { MLP } from "./mlp.ts";

/**
 * y = network(input) [N, D] and its divergence sum_i dy_i / d input_i [N, 1], the trace of the Jacobian J with respect to the
 * first D inputs. With a `direction` e [N, D] it returns e^T J e instead: Hutchinson's estimate of the divergence, if e has
 * random signs. `network` must not have residual blocks.
 *
 * With s_l the derivatives of the activations of layer l and W_l the weights (W_0 the rows of the D inputs), J = W_0 diag(s_1)
 * W_1 diag(s_2) ... W_L. Its trace is s_1 . diag(W_1 W_0) for one hidden layer and s_1 (W_1 * (W_2 W_0)^T) s_2 for two, with
 * the elementwise product *, which takes no longer than the network itself in any dimension. With more hidden layers the trace takes
 * D Jacobian-vector products. e^T J e takes one.
 */
export function withDivergence(
  network: MLP,
  input: Tensor,
  direction?: Tensor,
): { value: Tensor; divergence: Tensor } {
  const { layers } = network;
  const features = layers[layers.length - 1].weight.sizes[1];
  const first = layers[0].weight.slice(0, 0, features);
  const slopes: Tensor[] = [];
  let value = layers[0].apply(input);
  for (const layer of layers.slice(1)) {
    const active = activate(network.options.activation, value);
    slopes.push(vjp([active], [value], [scalar(1)])[0]);
    value = layer.apply(active);
  }
  const weights = layers.slice(1).map(({ weight }) => weight);
  const divergence = direction
    ? jacobianVectorProduct(direction, first, weights, slopes).mul(direction).sum(1)
    : trace(first, weights, slopes);
  return { value, divergence: divergence.reshape(["N", 1]) };
}

const jacobianVectorProduct = (
  e: Tensor,
  first: Tensor,
  weights: readonly Tensor[],
  slopes: readonly Tensor[],
): Tensor => weights.reduce((tangent, weight, l) => tangent.mul(slopes[l]).matmul(weight), e.matmul(first));

function trace(first: Tensor, weights: readonly Tensor[], slopes: readonly Tensor[]): Tensor {
  const [s1, s2] = slopes;
  switch (weights.length) {
    case 0:
      return diagonal(first).sum().broadcastTo(["N"]);
    case 1:
      return s1.mul(weights[0].mul(first.transpose()).sum(1)).sum(1);
    case 2:
      return s1
        .matmul(weights[0].mul(weights[1].matmul(first).transpose()))
        .mul(s2)
        .sum(1);
    default: {
      // Tangents [N, D, units], one for each input.
      const forAllInputs = (s: Tensor) => s.reshape(["N", 1, s.shape[1]]);
      let tangents = first.mul(forAllInputs(s1));
      weights.slice(0, -1).forEach((weight, l) => {
        tangents = tangents.matmul(weight).mul(forAllInputs(slopes[l + 1]));
      });
      return tangents.mul(weights[weights.length - 1].transpose()).sum([1, 2]);
    }
  }
}
