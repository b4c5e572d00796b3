import { ancestors, readersOf } from "../grad.ts";
import * as linear from "../operations/linear.ts";
import { sameShape } from "../shape.ts";
import { apply, concat, type Tensor } from "../tensor.ts";
import { knownTensors, type Replacement, replaced, rewritten } from "./rewrite.ts";

/** What sums, cuts or joins transposed matrices alone as what does so to the matrices themselves. Undefined for other nodes. */
export function overTransposes(node: Tensor): Tensor | undefined {
  const { operation, inputs, attributes } = node;
  if (!inputs.some(isTransposedMatrix)) return undefined;
  const [matrix] = inputs[0].inputs;
  if (isTransposedMatrix(node)) return matrix;
  if (operation.name === "sum" && !attributes.keepAxes)
    return matrix.sum((attributes.axes as readonly number[]).map((axis) => 1 - axis));
  return MOVES.has(operation.name) && inputs.every(isTransposedMatrix)
    ? transposeOf(node, ({ inputs: [matrix] }) => matrix).transpose()
    : undefined;
}

/**
 * Computes matrices transposed of which nothing but transposes is read, from the products on: a product gives its transpose at
 * no cost, and in that what were columns is cut and joined in whole stretches.
 *
 * With `embedParameters` weights are known when the graph is written, and their transposes are made but once.
 */
export function absorbTransposes(
  outputs: readonly Tensor[],
  { embedParameters = false }: { embedParameters?: boolean } = {},
): Tensor[] {
  const nodes = ancestors(outputs);
  const fixed = embedParameters ? knownTensors(nodes) : new Set<Tensor>();
  const turned = turnedNodes(nodes, outputs);
  const transposes = new Map<Tensor, Tensor>();
  const turn = (x: Tensor, replacement: Replacement): Tensor => {
    if (turned.has(x)) return replacement.get(x)!;
    if (isTransposedMatrix(x) && !turned.has(x.inputs[0])) return replacement.get(x.inputs[0])!;
    const transpose = transposes.get(x) ?? replacement.get(x)!.transpose();
    transposes.set(x, transpose);
    return transpose;
  };
  return rewritten(nodes, outputs, (node, replacement) => {
    const [x, weight, bias] = node.inputs;
    if (isTransposedMatrix(node) && (turned.has(x) || transposes.has(x))) return turn(x, replacement);
    if (!turned.has(node)) return overTransposedFactors(replaced(node, replacement));
    /** A vector stands for rows that are all the same, and its transpose for such columns. */
    const turnPart = (part: Tensor): Tensor => {
      if (part.rank === 2) return turn(part, replacement);
      const own = replacement.get(part)!;
      return part.rank === 1 ? own.reshape([part.shape[0], 1]) : own;
    };
    if (!PRODUCTS.has(node.operation.name)) return transposeOf(node, turnPart);
    const { transposeA, transposeB } = node.attributes as linear.Transposes;
    const known = fixed.has(weight);
    const factors = [known ? turn(weight, replacement) : replacement.get(weight)!, replacement.get(x)!];
    return product(factors, bias && turnPart(bias), {
      transposeA: known === transposeB,
      transposeB: !transposeA,
    });
  });
}

/** Products read the matrices themselves where their factors are transposed. */
function overTransposedFactors(node: Tensor): Tensor {
  const { operation, inputs, attributes } = node;
  const [a, b, bias] = inputs;
  if (!PRODUCTS.has(operation.name) || a.rank !== 2 || b.rank !== 2) return node;
  const [turnedA, turnedB] = [a, b].map(isTransposedMatrix);
  if (!turnedA && !turnedB) return node;
  const { transposeA, transposeB } = {
    transposeA: operation.name === "contractLeading",
    transposeB: false,
    ...attributes,
  };
  const factors = [turnedA ? a.inputs[0] : a, turnedB ? b.inputs[0] : b];
  return product(factors, bias, { transposeA: transposeA !== turnedA, transposeB: transposeB !== turnedB });
}

const product = (
  factors: readonly Tensor[],
  bias: Tensor | undefined,
  transposes: linear.Transposes,
): Tensor =>
  bias ? apply(linear.affine, [...factors, bias], transposes) : apply(linear.matmul, factors, transposes);

const PRODUCTS = new Set(["matmul", "affine", "contractLeading"]);

/** The matrices to compute transposed. */
function turnedNodes(nodes: readonly Tensor[], outputs: readonly Tensor[]): Set<Tensor> {
  const readers = readersOf(nodes);
  const turned = new Set(
    nodes.filter((node) => node.rank === 2 && passedOn(node) && !outputs.includes(node)),
  );
  /** Whether x is read transposed alone. */
  const isReadSo = (x: Tensor) => {
    const count = (tensors: readonly Tensor[]) => tensors.filter((tensor) => tensor === x).length;
    return readers
      .get(x)!
      .every(
        (reader) =>
          isTransposedMatrix(reader) ||
          (turned.has(reader) && count(reader.inputs) === count(passedOn(reader)!)),
      );
  };
  const comesSo = (x: Tensor) => turned.has(x) || (isTransposedMatrix(x) && !turned.has(x.inputs[0]));
  for (let before = -1; before !== turned.size; ) {
    before = turned.size;
    // What one node asks for passes on to those before it, what it lacks to those after it: in this order by a single turn.
    for (const node of [...turned].reverse()) if (!isReadSo(node)) turned.delete(node);
    for (const node of turned) if (!passedOn(node)!.every(comesSo)) turned.delete(node);
  }
  return turned;
}

/** For a node of which a transpose can be computed as such, the inputs whose transposes that takes. */
function passedOn(node: Tensor): readonly Tensor[] | undefined {
  const { operation, inputs, shape } = node;
  if (operation.name === "affine") return inputs[2].rank > 1 ? [inputs[2]] : [];
  if (operation.name === "matmul") return [];
  if (MOVES.has(operation.name)) return inputs;
  if (!operation.broadcasts) return undefined;
  const matrices = inputs.filter(({ rank }) => rank > 0);
  const fits = matrices.length > 0 && matrices.every((matrix) => sameShape(matrix.shape, shape));
  return fits ? matrices : undefined;
}

/** The transpose of a node that moves numbers or takes them one by one, from those of its inputs. */
function transposeOf({ operation, inputs, attributes }: Tensor, turn: (input: Tensor) => Tensor): Tensor {
  const parts = inputs.map(turn);
  const axis = 1 - (attributes.axis as number);
  switch (operation.name) {
    case "concat":
      return concat(parts, axis);
    case "slice":
      return parts[0].slice(axis, attributes.start as number, attributes.end as number);
    case "gather":
      return parts[0].gather(axis, attributes.indices as readonly number[]);
    default:
      return apply(operation, parts, attributes);
  }
}

const MOVES = new Set(["concat", "slice", "gather"]);

const isTransposedMatrix = ({ operation, rank, attributes }: Tensor): boolean =>
  operation.name === "transpose" && rank === 2 && (attributes.order as readonly number[])[0] === 1;
