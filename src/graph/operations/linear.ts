import { PushforwardError } from "../../errors.ts";
import type { Emitter, Operation } from "../operation.ts";
import { broadcastShapes, formatShape, keepBatch, type Shape, sameShape } from "../shape.ts";
import type { Tensor } from "../tensor.ts";

export type Transposes = { readonly transposeA: boolean; readonly transposeB: boolean };

const swapLast = (shape: Shape): Shape => [...shape.slice(0, -2), shape.at(-1)!, shape.at(-2)!];

function transposed(onnx: Emitter, name: string, shape: Shape): string {
  const perm = shape.map((_, i) => i);
  [perm[shape.length - 2], perm[shape.length - 1]] = [shape.length - 1, shape.length - 2];
  return onnx.node("Transpose", [name], { perm });
}

function mismatch(operation: string, a: Tensor, b: Tensor): PushforwardError {
  return new PushforwardError(
    "SHAPE",
    `${operation} cannot multiply ${formatShape(a.shape)} by ${formatShape(b.shape)}`,
    {
      hint: "The last axis of the first must equal the last axis but one of the second.",
    },
  );
}

/** op(a) op(b) over the last two axes, leading axes broadcast; a and b may be transposed on the way at no cost. */
export const matmul: Operation<Transposes> = {
  name: "matmul",
  needsFullGradient: true,
  broadcasts: true,
  shape: ([a, b], { transposeA, transposeB }) => {
    if (a.shape.length < 2 || b.shape.length < 2) throw mismatch("matmul", a, b);
    const left = transposeA ? swapLast(a.shape) : a.shape;
    const right = transposeB ? swapLast(b.shape) : b.shape;
    if (left.at(-1) !== right.at(-2)) throw mismatch("matmul", a, b);
    const whole = `matmul of ${formatShape(a.shape)} by ${formatShape(b.shape)}`;
    const batch = broadcastShapes(whole, left.slice(0, -2), right.slice(0, -2));
    const shape = [...batch, left.at(-2)!, right.at(-1)!];
    const kept = [left.with(-1, 1), right.with(-2, 1)];
    keepBatch(
      shape,
      kept,
      () => `matmul moves the batch axis in ${formatShape(a.shape)} by ${formatShape(b.shape)}`,
    );
    return shape;
  },
  gradient: (g, [a, b], _y, { transposeA, transposeB }) => {
    const ga = transposeA
      ? b.matmul(g, { transposeA: transposeB, transposeB: true })
      : g.matmul(b, { transposeB: !transposeB });
    // A matrix shared by all leading axes collects its gradient over them in one product.
    const shared = b.shape.length === 2 && a.shape.length > 2 && !transposeA;
    if (shared) return [ga, transposeB ? contracted(g, a) : contracted(a, g)];
    const gb = transposeB
      ? g.matmul(a, { transposeA: true, transposeB: transposeA })
      : a.matmul(g, { transposeA: !transposeA });
    return [ga, gb];
  },
  emit: (onnx, [a, b], { transposeA, transposeB }, [ta, tb]) => {
    // The runtime makes a following activation part of this node.
    if (ta.shape.length === 2 && tb.shape.length === 2) {
      return onnx.node("Gemm", [a, b], { transA: transposeA ? 1 : 0, transB: transposeB ? 1 : 0 });
    }
    const left = transposeA ? transposed(onnx, a, ta.shape) : a;
    const right = transposeB ? transposed(onnx, b, tb.shape) : b;
    return onnx.node("MatMul", [left, right]);
  },
};

/** a^T b with all axes but the last flattened into rows: [..., K], [..., M] -> [K, M]. */
export const contractLeading: Operation<Record<string, never>> = {
  name: "contractLeading",
  needsFullGradient: true,
  shape: ([a, b]) => {
    if (a.rank < 2 || !sameShape(a.shape.slice(0, -1), b.shape.slice(0, -1))) {
      throw new PushforwardError(
        "SHAPE",
        `contractLeading cannot multiply ${formatShape(a.shape)} by ${formatShape(b.shape)}`,
        {
          hint: "All axes but the last must be equal, and there must be at least one.",
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
 * `a.contractLeading(b)`, the gradient of a matrix. The runtime reads the transposed one in strides, so for a much narrower b it
 * gets (b^T a)^T, which takes half as long.
 */
function contracted(a: Tensor, b: Tensor): Tensor {
  const [K, M] = [a, b].map(({ shape }) => shape.at(-1) as number);
  return 4 * M > K ? a.contractLeading(b) : b.contractLeading(a).transpose([1, 0]);
}

/**
 * x W + b in one product: x [..., I], W [I, O], b [O] or [..., O] -> [..., O]. As matrices, x and W may be transposed on the
 * way at no cost, and b may be a matrix with an axis of size 1.
 */
export const affine: Operation<Transposes> = {
  name: "affine",
  needsFullGradient: true,
  shape: ([x, weight, bias], { transposeA, transposeB }) => {
    const left = transposeA ? swapLast(x.shape) : x.shape;
    const [rows, columns] = transposeB ? swapLast(weight.shape) : weight.shape;
    const matrices = x.rank === 2 || (x.rank > 2 && !transposeA && !transposeB);
    if (!matrices || weight.rank !== 2 || left.at(-1) !== rows) throw mismatch("affine", x, weight);
    const whole = [...left.slice(0, -1), columns];
    const stretched =
      bias.rank === 2 && whole.length === 2 && bias.shape.every((d, i) => d === 1 || d === whole[i]);
    if (!stretched && !sameShape(bias.shape, [columns]) && !sameShape(bias.shape, whole)) {
      throw new PushforwardError("SHAPE", "affine cannot add its bias", {
        expected: formatShape([columns]),
        received: formatShape(bias.shape),
      });
    }
    return whole;
  },
  gradient: (g, [x, weight, bias], y, transposes) => {
    const [gx, gw] =
      transposes.transposeA || transposes.transposeB
        ? matmul.gradient!(g, [x, weight], y, transposes)
        : [g.matmul(weight, { transposeB: true }), contracted(x, g)];
    const copied = y.shape.flatMap((d, axis) =>
      (bias.rank === 1 ? axis < y.rank - 1 : bias.shape[axis] !== d) ? [axis] : [],
    );
    return [gx, gw, g.sum(copied, { keepAxes: bias.rank > 1 })];
  },
  emit: (onnx, [x, weight, bias], { transposeA, transposeB }, [tx]) =>
    tx.shape.length === 2
      ? onnx.node("Gemm", [x, weight, bias], { transA: transposeA ? 1 : 0, transB: transposeB ? 1 : 0 })
      : onnx.node("Add", [onnx.node("MatMul", [x, weight]), bias]),
};
