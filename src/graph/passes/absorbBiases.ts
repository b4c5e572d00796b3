import { concat, constant, filled, type Tensor } from "../tensor.ts";
import { ancestors, consumersOf } from "../traversal.ts";
import { fixedTensors, type Replacements, rewriteGraph, withReplacedInputs } from "./rewrite.ts";

/** A column of ones saves time for this many biases or more, plus 2 for each column of an input that is copied to append it. */
const MIN_BIAS_COLUMNS = 32;

/**
 * Makes biases weights of a column of ones: x W + b = [x 1] [W; b]. The runtime copies a bias to all rows before it
 * multiplies, which takes a sixth of the time of a product with 64 inputs, and half of it with few.
 *
 * The column is concatenated to inputs with few columns. A relu layer that reads it provides the column for the next layers by one
 * more unit, which reads only the ones: relu(1) = 1. Applies only where weights and biases are fixed numbers.
 */
export function absorbBiases(outputs: readonly Tensor[]): Tensor[] {
  const nodes = ancestors(outputs);
  const { layers, activations } = plan(nodes, outputs);
  const layersWithUnit = new Set([...activations].map(({ inputs: [layer] }) => layer));
  const ones = filled(1, ["N", 1]);
  const inputsWithOnes = new Map<Tensor, Tensor>();
  /** [x 1] for x. */
  const withOnes = (x: Tensor, replacements: Replacements): Tensor => {
    const replaced = replacements.get(x)!;
    const result = inputsWithOnes.get(x) ?? (activations.has(x) ? replaced : concat([replaced, ones], 1));
    inputsWithOnes.set(x, result);
    return result;
  };
  const matrices = new Map<Tensor, { readonly bias: Tensor | undefined; readonly matrix: Tensor }>();
  /** The matrix [W; b], or [W; 0] without a bias, which is created once for layers with the same weights and bias. */
  const weightsWithBias = (weight: Tensor, bias?: Tensor): Tensor => {
    const known = matrices.get(weight);
    if (known && known.bias === bias) return known.matrix;
    const columns = weight.shape[1] as number;
    const row = bias ? bias.reshape([1, columns]) : constant(new Array(columns).fill(0), [1, columns]);
    const matrix = concat([weight, row], 0);
    matrices.set(weight, { bias, matrix });
    return matrix;
  };
  return rewriteGraph(outputs, (node, replacements) => {
    if (!layers.has(node)) return withReplacedInputs(node, replacements);
    const [x, weight, bias] = node.inputs;
    // A bias [N, columns] differs between rows and stays a summand.
    if (bias.rank > 1)
      return withOnes(x, replacements).affine(weightsWithBias(weight), replacements.get(bias)!);
    const matrix = weightsWithBias(weight, bias);
    if (!layersWithUnit.has(node)) return withOnes(x, replacements).matmul(matrix);
    const rows = matrix.shape[0] as number;
    const unit = constant([...new Array(rows - 1).fill(0), 1], [rows, 1]);
    return withOnes(x, replacements).matmul(concat([matrix, unit], 1));
  });
}

/** The layers to rewrite, and the activations that get one more unit, whose value is 1. */
function plan(nodes: readonly Tensor[], outputs: readonly Tensor[]) {
  const fixed = fixedTensors(nodes);
  const consumers = consumersOf(nodes);
  const layersThatRead = (x: Tensor): Tensor[] =>
    consumers.get(x)!.filter(({ operation, attributes, inputs: [input, weight, bias] }) => {
      if (!operation.product || !bias || input !== x) return false;
      const { transposeA, transposeB } = operation.product.transposes(attributes);
      return !transposeA && !transposeB && fixed.has(weight) && (bias.rank > 1 || fixed.has(bias));
    });
  const layers = new Set<Tensor>();
  const activations = new Set<Tensor>();
  /** Whether an activation may get one more unit: only layers that can be rewritten read it. */
  const canAddUnit = (activation: Tensor): boolean => {
    const [layer] = activation.inputs;
    // A layer with a summand [N, columns] gets no unit. It is in `layers` only if its input has one. Other layers whose input has a unit
    // could get one too, but networks of three and four hidden layers became no faster, and up to 5% slower.
    if (!activation.operation.fixesOne || !layers.has(layer) || activations.has(layer.inputs[0]))
      return false;
    const onlyLayersRead =
      consumers.get(layer)!.length === 1 &&
      consumers.get(activation)!.length === layersThatRead(activation).length;
    return onlyLayersRead && !outputs.includes(layer) && !outputs.includes(activation);
  };
  for (const x of nodes) {
    if (x.rank !== 2 || x.shape[0] !== "N") continue;
    const withBias = layersThatRead(x).filter(({ inputs: [, , bias] }) => bias.rank === 1);
    const biasColumns = withBias.reduce((sum, { shape }) => sum + (shape[1] as number), 0);
    if (biasColumns < MIN_BIAS_COLUMNS) continue;
    if (canAddUnit(x)) {
      activations.add(x);
      for (const layer of layersThatRead(x)) layers.add(layer);
    } else if (biasColumns >= MIN_BIAS_COLUMNS + 2 * (x.shape[1] as number)) {
      for (const layer of withBias) layers.add(layer);
    }
  }
  return { layers, activations };
}
