import type { Operation } from "./operation.ts";
import { Tensor } from "./tensor.ts";

/**
 * `value` with a custom gradient (JAX's `custom_vjp`). `gradient` maps the gradient with respect to the value to the gradients
 * with respect to `inputs`, each in the shape of its tensor, or null where it is 0. Nothing is backpropagated through the graph
 * of `value` itself.
 */
export function withGradient(
  value: Tensor,
  inputs: readonly Tensor[],
  gradient: (g: Tensor) => readonly (Tensor | null)[],
): Tensor {
  const operation: Operation = {
    name: "withGradient",
    inputTypes: ["float", "any"],
    needsFullGradient: true,
    shape: ([x]) => x.shape,
    gradient: (g) => [null, ...gradient(g)],
    // A graph is simplified after its gradients are taken. Then only the value is needed, and not `inputs`.
    simplify: ({ inputs: [x] }) => x,
    emit: (_onnx, [x]) => x,
  };
  return new Tensor(operation, [value, ...inputs], {});
}
