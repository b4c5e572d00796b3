import { PushforwardError } from "../../check/index.ts";
import type { Emitter, Operation, Transposes } from "../operation.ts";
import {
  broadcastShapes,
  formatShape,
  normalizeAxis,
  requireBatchAxisInPlace,
  type Shape,
  sameShape,
} from "../shape.ts";
import { constantMatrix, type Tensor } from "../tensor.ts";

const swapLastAxes = (shape: Shape): Shape => [...shape.slice(0, -2), shape.at(-1)!, shape.at(-2)!];

function emitTranspose(onnx: Emitter, name: string, shape: Shape): string {
  const perm = shape.map((_, i) => i);
  [perm[shape.length - 2], perm[shape.length - 1]] = [shape.length - 1, shape.length - 2];
  return onnx.node("Transpose", [name], { perm });
}

function productError(operation: string, a: Tensor, b: Tensor): PushforwardError {
  return new PushforwardError(
    "SHAPE",
    `${operation} cannot multiply ${formatShape(a.shape)} by ${formatShape(b.shape)}`,
    {
      hint: "The last axis of the first must equal the second-to-last of the second.",
    },
  );
}

/** The matrix product of a or a^T and b or b^T over the last two axes; the axes before them are broadcast. */
export const matmul: Operation<Transposes> = {
  name: "matmul",
  needsFullGradient: true,
  broadcasts: "leadingAxes",
  product: { transposes: (attributes) => attributes },
  shape: ([a, b], { transposeA, transposeB }) => {
    if (a.shape.length < 2 || b.shape.length < 2) throw productError("matmul", a, b);
    const left = transposeA ? swapLastAxes(a.shape) : a.shape;
    const right = transposeB ? swapLastAxes(b.shape) : b.shape;
    if (left.at(-1) !== right.at(-2)) throw productError("matmul", a, b);
    const name = `matmul of ${formatShape(a.shape)} by ${formatShape(b.shape)}`;
    const leadingAxes = broadcastShapes(name, left.slice(0, -2), right.slice(0, -2));
    const shape = [...leadingAxes, left.at(-2)!, right.at(-1)!];
    // The axis that is summed over is not an axis of the output, so it may be the batch axis.
    const keptAxes = [left.with(-1, 1), right.with(-2, 1)];
    requireBatchAxisInPlace(
      shape,
      keptAxes,
      () => `matmul would move the batch axis of ${formatShape(a.shape)} by ${formatShape(b.shape)}`,
    );
    return shape;
  },
  gradient: (g, [a, b], _y, { transposeA, transposeB }) => {
    const ga = transposeA
      ? b.matmul(g, { transposeA: transposeB, transposeB: true })
      : g.matmul(b, { transposeB: !transposeB });
    // The gradient of a matrix that is broadcast to all leading axes is one product that sums over them too.
    const isBroadcast = b.shape.length === 2 && a.shape.length > 2 && !transposeA;
    if (isBroadcast) return [ga, transposeB ? matrixGradient(g, a) : matrixGradient(a, g)];
    const gb = transposeB
      ? g.matmul(a, { transposeA: true, transposeB: transposeA })
      : a.matmul(g, { transposeA: !transposeA });
    return [ga, gb];
  },
  emit: (onnx, [a, b], { transposeA, transposeB }, [ta, tb]) => {
    // The runtime fuses a following activation into a Gemm, but not into a MatMul.
    if (ta.shape.length === 2 && tb.shape.length === 2) {
      return onnx.node("Gemm", [a, b], { transA: transposeA ? 1 : 0, transB: transposeB ? 1 : 0 });
    }
    const left = transposeA ? emitTranspose(onnx, a, ta.shape) : a;
    const right = transposeB ? emitTranspose(onnx, b, tb.shape) : b;
    return onnx.node("MatMul", [left, right]);
  },
};

/**
 * a^T b with all axes except the last flattened into rows: [..., K], [..., M] -> [K, M], as `jnp.einsum('...k,...m->km', a, b)` in JAX.
 */
export const contractLeading: Operation<Record<string, never>> = {
  name: "contractLeading",
  needsFullGradient: true,
  product: { transposes: () => ({ transposeA: true, transposeB: false }), fixedOrder: true },
  shape: ([a, b]) => {
    if (a.rank < 2 || !sameShape(a.shape.slice(0, -1), b.shape.slice(0, -1))) {
      throw new PushforwardError(
        "SHAPE",
        `contractLeading cannot multiply ${formatShape(a.shape)} by ${formatShape(b.shape)}`,
        {
          hint: "All axes except the last must be equal, and there must be at least one of them.",
        },
      );
    }
    return [a.shape.at(-1)!, b.shape.at(-1)!];
  },
  gradient: (g, [a, b]) => [b.matmul(g, { transposeB: true }), a.matmul(g)],
  emit: (onnx, inputs, _attributes, tensors) => {
    const rows = inputs.map((name, i) =>
      tensors[i].shape.length === 2
        ? name
        : onnx.node("Reshape", [name, onnx.integers([-1, tensors[i].shape.at(-1) as number])]),
    );
    return onnx.node("Gemm", rows, { transA: 1 });
  },
};

/**
 * `a.contractLeading(b)`, the gradient of a matrix. The runtime reads the transposed factor column by column: if b is much
 * narrower than a, (b^T a)^T takes half the time.
 */
function matrixGradient(a: Tensor, b: Tensor): Tensor {
  const [K, M] = [a, b].map(({ shape }) => shape.at(-1) as number);
  return 4 * M > K ? a.contractLeading(b) : b.contractLeading(a).transpose([1, 0]);
}

/**
 * x W + b in one operation: x [..., I], W [I, O], b [O] or [..., O] -> [..., O]. If x is a matrix, x and W may be transposed, and
 * b may be a matrix with an axis of size 1.
 */
export const affine: Operation<Transposes> = {
  name: "affine",
  needsFullGradient: true,
  product: { transposes: (attributes) => attributes },
  shape: ([x, weight, bias], { transposeA, transposeB }) => {
    const left = transposeA ? swapLastAxes(x.shape) : x.shape;
    const [rows, columns] = transposeB ? swapLastAxes(weight.shape) : weight.shape;
    const rankFits = x.rank === 2 || (x.rank > 2 && !transposeA && !transposeB);
    if (!rankFits || weight.rank !== 2 || left.at(-1) !== rows) throw productError("affine", x, weight);
    const shape = [...left.slice(0, -1), columns];
    const broadcasts =
      bias.rank === 2 && shape.length === 2 && bias.shape.every((d, i) => d === 1 || d === shape[i]);
    if (!broadcasts && !sameShape(bias.shape, [columns]) && !sameShape(bias.shape, shape)) {
      throw new PushforwardError("SHAPE", "affine cannot add its bias", {
        expected: formatShape([columns]),
        received: formatShape(bias.shape),
      });
    }
    return shape;
  },
  gradient: (g, [x, weight, bias], y, transposes) => {
    const [gx, gw] =
      transposes.transposeA || transposes.transposeB
        ? matmul.gradient!(g, [x, weight], y, transposes)
        : [g.matmul(weight, { transposeB: true }), matrixGradient(x, g)];
    const broadcastAxes = y.shape.flatMap((d, axis) =>
      (bias.rank === 1 ? axis < y.rank - 1 : bias.shape[axis] !== d) ? [axis] : [],
    );
    return [gx, gw, g.sum(broadcastAxes, { keepAxes: bias.rank > 1 })];
  },
  emit: (onnx, [x, weight, bias], { transposeA, transposeB }, [tx]) =>
    tx.shape.length === 2
      ? onnx.node("Gemm", [x, weight, bias], { transA: transposeA ? 1 : 0, transB: transposeB ? 1 : 0 })
      : onnx.node("Add", [onnx.node("MatMul", [x, weight]), bias]),
};

/** A mask of zeros and ones for the matrices in the last two axes of a shape. Throws `SHAPE`, with the name `operation`, for a single axis. */
export function matrixMask(
  operation: string,
  shape: Shape,
  keep: (row: number, column: number) => boolean,
): Tensor {
  normalizeAxis(operation, -2, shape);
  const [rows, columns] = shape.slice(-2) as number[];
  return constantMatrix(rows, columns, (row, column) => +keep(row, column));
}
