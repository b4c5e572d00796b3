import { PushforwardError } from "../check/index.ts";
import type { AxisRange } from "./operation.ts";
import { broadcastShapes, formatShape, type Shape, sameShape } from "./shape.ts";
import { batchSize, concat, filled, scalar, stack, type Tensor, unitRow } from "./tensor.ts";
import { withScope } from "./tracing/scope.ts";
import { ancestors } from "./traversal.ts";

/**
 * The gradient of a tensor of shape `inputShape` that was broadcast to `outputShape`, from the gradient g of the result: the sum
 * of g over the axes that were broadcast. Along such an axis g may have size 1; the sum is then g times the size of the axis.
 */
function sumOverBroadcastAxes(g: Tensor, inputShape: Shape, outputShape: Shape): Tensor {
  const newAxes = outputShape.length - inputShape.length;
  const axesToSum: number[] = [];
  let result = g;
  outputShape.forEach((d, axis) => {
    const isBroadcast = axis < newAxes || inputShape[axis - newAxes] === 1;
    if (!isBroadcast || d === 1) return;
    const axisOfG = axis - (outputShape.length - g.rank);
    if (axisOfG >= 0 && g.shape[axisOfG] !== 1) axesToSum.push(axisOfG);
    else result = result.mul(d === "N" ? batchSize() : d);
  });
  if (axesToSum.length > 0) result = result.sum(axesToSum, { keepAxes: true });
  const extra = result.rank - inputShape.length;
  return extra > 0 ? result.reshape(result.shape.slice(extra)) : result;
}

/** A gradient for each input, as a tuple of the same length. */
export type Gradients<T extends readonly Tensor[]> = { -readonly [K in keyof T]: Tensor };

/**
 * Vector-Jacobian product: the gradient of sum_i <cotangents_i, outputs_i> with respect to each of `inputs`, in their shapes. The
 * result is a graph of ordinary operations, so it can be differentiated again. Throws `SHAPE` if a cotangent does not broadcast
 * to its output, and `ARGUMENT` if there is not one for each output.
 */
export function vjp<const T extends readonly Tensor[]>(
  outputs: readonly Tensor[],
  inputs: T,
  cotangents: readonly Tensor[],
): Gradients<T> {
  if (cotangents.length !== outputs.length) {
    throw new PushforwardError("ARGUMENT", "vjp received a wrong number of cotangents", {
      expected: `${outputs.length}, one for each output`,
      received: `${cotangents.length}`,
    });
  }
  const nodes = ancestors(outputs);
  /** The inputs, and nodes that depend on them: only these need gradients. */
  const relevant = new Set<Tensor>(inputs);
  for (const node of nodes) if (node.inputs.some((parent) => relevant.has(parent))) relevant.add(node);

  const gradients = new Map<Tensor, Tensor>();
  const sliceGradients = new Map<Tensor, SliceGradient[]>();
  const accumulate = (node: Tensor, g: Tensor) => {
    const sum = gradients.get(node);
    gradients.set(node, sum ? sum.add(g) : g);
  };
  outputs.forEach((output, i) => {
    const cotangent = cotangents[i];
    if (!sameShape(broadcastShapes("vjp", cotangent.shape, output.shape), output.shape)) {
      throw new PushforwardError("SHAPE", "vjp takes cotangents that broadcast to their outputs", {
        expected: formatShape(output.shape),
        received: formatShape(cotangent.shape),
      });
    }
    accumulate(output, cotangent);
  });
  for (const node of nodes.reverse()) {
    const slices = sliceGradients.get(node);
    if (slices) accumulate(node, concatSlices(slices, node.shape));
    const g = gradients.get(node);
    const { operation, inputs: parents, attributes } = node;
    if (!g || !parents.some((parent) => relevant.has(parent))) continue;
    withScope(node.scope ? `gradient/${node.scope}` : "gradient", () => {
      if (operation.range) {
        const slice = { ...operation.range(attributes), g: g.broadcastTo(node.shape) };
        sliceGradients.set(parents[0], [...(sliceGradients.get(parents[0]) ?? []), slice]);
        return;
      }
      const full = operation.needsFullGradient ? g.broadcastTo(node.shape) : g;
      const contributions = operation.gradient?.(full, parents, node, attributes) ?? [];
      parents.forEach((parent, i) => {
        const contribution = contributions[i];
        if (!contribution || !relevant.has(parent)) return;
        const broadcastShape = operation.broadcasts === "elementwise" ? node.shape : contribution.shape;
        accumulate(
          parent,
          operation.broadcasts
            ? sumOverBroadcastAxes(contribution, parent.shape, broadcastShape)
            : contribution,
        );
      });
    });
  }
  const result = inputs.map((x) => gradients.get(x)?.broadcastTo(x.shape) ?? filled(0, x.shape));
  return result as Gradients<T>;
}

interface SliceGradient extends AxisRange {
  /** The gradient of the slice, in its shape. */
  readonly g: Tensor;
}

/**
 * The gradient of a tensor, concatenated from the gradients of its slices. Adding zero-padded gradients instead would read the
 * whole tensor once for each slice.
 */
function concatSlices(slices: readonly SliceGradient[], shape: Shape): Tensor {
  const axes = [...new Set(slices.map(({ axis }) => axis))];
  const gradientByAxis = axes.map((axis) => {
    const ranges = slices.filter((slice) => slice.axis === axis);
    const bounds = [
      ...new Set([0, shape[axis] as number, ...ranges.flatMap(({ start, end }) => [start, end])]),
    ];
    bounds.sort((a, b) => a - b);
    const segments = bounds.slice(1).map((end, i) => {
      const start = bounds[i];
      const covering = ranges.filter((range) => range.start <= start && range.end >= end);
      if (covering.length === 0)
        return filled(
          0,
          shape.map((d, k) => (k === axis ? end - start : d)),
        );
      return covering
        .map(({ g, start: offset }) => g.slice(axis, start - offset, end - offset))
        .reduce((sum, g) => sum.add(g));
    });
    return concat(segments, axis);
  });
  return gradientByAxis.reduce((sum, g) => sum.add(g));
}

/** Gradient of a scalar with respect to each of `inputs`, in their shapes. Throws `SHAPE` if `output` is not a scalar. */
export function grad<const T extends readonly Tensor[]>(output: Tensor, inputs: T): Gradients<T> {
  if (output.rank !== 0) {
    throw new PushforwardError("SHAPE", "grad differentiates a scalar only", {
      expected: "[]",
      received: formatShape(output.shape),
      hint: "Sum or average first, or use vjp or jacobian.",
    });
  }
  return vjp([output], inputs, [scalar(1)]);
}

/**
 * A scalar and its gradients, for training: `[output, ...gradients]`, where the gradient for each of `inputs` has the shape of the input.
 * Throws `SHAPE` if `output` is not a scalar.
 */
export function valueAndGrad<const T extends readonly Tensor[]>(
  output: Tensor,
  inputs: T,
): [Tensor, ...Gradients<T>] {
  return [output, ...grad(output, inputs)];
}

/**
 * Jacobian of each row: y [N, E] with respect to x [N, D] -> [N, E, D], where row n of y must depend only on row n of x. Without
 * a batch axis: y [E], x [D] -> [E, D]. It takes E vector-Jacobian products, so it is meant for checks and not for training. Throws
 * `SHAPE` for tensors of other shapes.
 */
export function jacobian(y: Tensor, x: Tensor): Tensor {
  const areRows = y.rank === 2 && y.shape[0] === x.shape[0];
  if (y.rank !== x.rank || !(areRows || y.rank === 1) || y.shape.at(-1) === "N" || x.shape.at(-1) === "N") {
    throw new PushforwardError("SHAPE", "jacobian takes vectors, or rows of vectors", {
      received: `${formatShape(y.shape)} by ${formatShape(x.shape)}`,
    });
  }
  const size = y.shape.at(-1) as number;
  const gradients = Array.from({ length: size }, (_, i) => {
    const unit = unitRow(size, i).reshape([size]);
    return vjp([y], [x], [unit])[0];
  });
  return stack(gradients, y.rank - 1);
}
