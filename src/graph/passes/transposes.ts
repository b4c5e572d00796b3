import type { Transposes } from "../operation.ts";
import { affine, matmul } from "../operations/linear.ts";
import { isTransposedMatrix } from "../operations/structure.ts";
import { sameShape } from "../shape.ts";
import { apply, type Tensor } from "../tensor.ts";
import { ancestors, consumersOf } from "../traversal.ts";
import { fixedTensors, type Replacements, rewriteGraph, withReplacedInputs } from "./rewrite.ts";

/**
 * Rewrites f(A^T, B^T, ...) as f(A, B, ...)^T for an f that only selects or joins rows or columns, so that transposes cancel
 * further towards the outputs. Undefined for any other node.
 */
export function sinkTransposes({ operation, inputs, attributes }: Tensor): Tensor | undefined {
  if (!operation.alongAxis || !inputs.every(isTransposedMatrix)) return undefined;
  const matrices = inputs.map(({ inputs: [matrix] }) => matrix);
  return operation.alongAxis(matrices, otherAxis(attributes), attributes).transpose();
}

/** The axis of a matrix that is not `axis`. */
const otherAxis = ({ axis }: Tensor["attributes"]): number => 1 - (axis as number);

/**
 * Computes the transposes of matrices directly where only their transposes are read: (A B)^T = B^T A^T, where a product reads a
 * transposed factor at no cost. Slices and concatenations of columns then become slices and concatenations of contiguous rows.
 *
 * With `embedParameters` weights are fixed numbers, whose transposes are computed only once, when the graph is written.
 */
export function absorbTransposes(
  outputs: readonly Tensor[],
  { embedParameters = false }: { embedParameters?: boolean } = {},
): Tensor[] {
  const nodes = ancestors(outputs);
  const fixed = embedParameters ? fixedTensors(nodes) : new Set<Tensor>();
  /** Nodes whose replacements are their transposes. */
  const transposed = nodesToTranspose(nodes, outputs);
  const transposes = new Map<Tensor, Tensor>();
  /** The transpose of a matrix of the old graph. */
  const transposeOf = (x: Tensor, replacements: Replacements): Tensor => {
    if (transposed.has(x)) return replacements.get(x)!;
    if (isTransposedMatrix(x) && !transposed.has(x.inputs[0])) return replacements.get(x.inputs[0])!;
    const transpose = transposes.get(x) ?? replacements.get(x)!.transpose();
    transposes.set(x, transpose);
    return transpose;
  };
  return rewriteGraph(outputs, (node, replacements) => {
    const { operation, inputs, attributes } = node;
    const [x, weight, bias] = inputs;
    if (isTransposedMatrix(node) && (transposed.has(x) || transposes.has(x)))
      return transposeOf(x, replacements);
    if (!transposed.has(node)) return readTransposedFactors(withReplacedInputs(node, replacements));
    /** A vector [C] is broadcast as equal rows, so its transpose is broadcast as equal columns: [C, 1]. */
    const transposeOfInput = (input: Tensor): Tensor => {
      if (input.rank === 2) return transposeOf(input, replacements);
      const vector = replacements.get(input)!;
      return input.rank === 1 ? vector.reshape([input.shape[0], 1]) : vector;
    };
    if (operation.alongAxis)
      return operation.alongAxis(inputs.map(transposeOfInput), otherAxis(attributes), attributes);
    if (!operation.product) return apply(operation, inputs.map(transposeOfInput), attributes);
    const { transposeA, transposeB } = operation.product.transposes(attributes);
    const isFixed = fixed.has(weight);
    const factors = [
      isFixed ? transposeOf(weight, replacements) : replacements.get(weight)!,
      replacements.get(x)!,
    ];
    return product(factors, bias && transposeOfInput(bias), {
      transposeA: isFixed === transposeB,
      transposeB: !transposeA,
    });
  });
}

/** Lets a product read the matrices A and B where its factors are A^T or B^T. */
function readTransposedFactors(node: Tensor): Tensor {
  const { operation, inputs, attributes } = node;
  const [a, b, bias] = inputs;
  if (!operation.product || a.rank !== 2 || b.rank !== 2) return node;
  const [isTransposedA, isTransposedB] = [a, b].map(isTransposedMatrix);
  if (!isTransposedA && !isTransposedB) return node;
  const { transposeA, transposeB } = operation.product.transposes(attributes);
  const factors = [isTransposedA ? a.inputs[0] : a, isTransposedB ? b.inputs[0] : b];
  return product(factors, bias, {
    transposeA: transposeA !== isTransposedA,
    transposeB: transposeB !== isTransposedB,
  });
}

const product = (factors: readonly Tensor[], bias: Tensor | undefined, transposes: Transposes): Tensor =>
  bias ? apply(affine, [...factors, bias], transposes) : apply(matmul, factors, transposes);

/** The matrices of which only transposes are read, and which can be computed transposed. */
function nodesToTranspose(nodes: readonly Tensor[], outputs: readonly Tensor[]): Set<Tensor> {
  const consumers = consumersOf(nodes);
  const chosen = new Set(
    nodes.filter((node) => node.rank === 2 && inputsToTranspose(node) && !outputs.includes(node)),
  );
  const isReadTransposed = (x: Tensor) => {
    const count = (tensors: readonly Tensor[]) => tensors.filter((tensor) => tensor === x).length;
    return consumers
      .get(x)!
      .every(
        (node) =>
          isTransposedMatrix(node) ||
          (chosen.has(node) && count(node.inputs) === count(inputsToTranspose(node)!)),
      );
  };
  const hasTranspose = (x: Tensor) => chosen.has(x) || (isTransposedMatrix(x) && !chosen.has(x.inputs[0]));
  for (let before = -1; before !== chosen.size; ) {
    before = chosen.size;
    // The first condition propagates from outputs to inputs, the second from inputs to outputs. Visiting the nodes in that
    // direction propagates a condition through the whole graph.
    for (const node of [...chosen].reverse()) if (!isReadTransposed(node)) chosen.delete(node);
    for (const node of chosen) if (!inputsToTranspose(node)!.every(hasTranspose)) chosen.delete(node);
  }
  return chosen;
}

/** The inputs whose transposes are needed to compute the transpose of a matrix directly; undefined if that is not possible. */
function inputsToTranspose({ operation, inputs, shape }: Tensor): readonly Tensor[] | undefined {
  if (operation.product) {
    if (operation.product.fixedOrder) return undefined;
    return inputs.slice(2).filter(({ rank }) => rank > 1);
  }
  if (operation.alongAxis) return inputs;
  if (operation.broadcasts !== "elementwise") return undefined;
  const matrices = inputs.filter(({ rank }) => rank > 0);
  const fits = matrices.length > 0 && matrices.every((matrix) => sameShape(matrix.shape, shape));
  return fits ? matrices : undefined;
}
