import { PushforwardError } from "../errors.ts";
import { broadcastShapes, formatShape, type Shape, sameShape } from "./shape.ts";
import { batchSize, concat, constant, filled, scalar, stack, type Tensor } from "./tensor.ts";
import { withScope } from "./tracing/scope.ts";

/** All tensors that `outputs` depend on, inputs before outputs; without what lies behind those that are `known`. */
export function ancestors(outputs: readonly Tensor[], known?: { has(tensor: Tensor): boolean }): Tensor[] {
  const seen = new Set<Tensor>(outputs);
  const stackOfTensors = [...outputs];
  for (let t = stackOfTensors.pop(); t; t = stackOfTensors.pop()) {
    if (known?.has(t)) continue;
    for (const parent of t.inputs) {
      if (!seen.has(parent)) {
        seen.add(parent);
        stackOfTensors.push(parent);
      }
    }
  }
  return [...seen].sort((a, b) => a.id - b.id);
}

/** For each of the nodes, those of them that it is an input of. */
export function readersOf(nodes: readonly Tensor[]): Map<Tensor, Tensor[]> {
  const readers = new Map<Tensor, Tensor[]>(nodes.map((node) => [node, []]));
  for (const node of nodes) for (const parent of new Set(node.inputs)) readers.get(parent)!.push(node);
  return readers;
}

/**
 * Sums `g` down to something that broadcasts to `target`, undoing the broadcasting of `target` to `full`.
 * Where `g` itself is still smaller than `full`, the missing copies are counted instead of made.
 */
function sumTo(g: Tensor, target: Shape, full: Shape): Tensor {
  const skip = full.length - target.length;
  const axes: number[] = [];
  let result = g;
  full.forEach((d, axis) => {
    const stretched = axis < skip || (target[axis - skip] === 1 && d !== 1);
    if (!stretched || d === 1) return;
    const own = axis - (full.length - g.rank);
    if (own >= 0 && g.shape[own] !== 1) axes.push(own);
    else result = result.mul(d === "N" ? batchSize() : d);
  });
  if (axes.length > 0) result = result.sum(axes, { keepAxes: true });
  const extra = result.rank - target.length;
  return extra > 0 ? result.reshape(result.shape.slice(extra)) : result;
}

/** A gradient for each input: of a list of two, a list of two. */
export type Gradients<T extends readonly Tensor[]> = { -readonly [K in keyof T]: Tensor };

/**
 * Vector-Jacobian product: the gradient of sum_i <cotangents_i, outputs_i> with respect to each of `inputs`,
 * in their shapes. It is a graph like any other, so it can be differentiated again.
 */
export function vjp<const T extends readonly Tensor[]>(
  outputs: readonly Tensor[],
  inputs: T,
  cotangents: readonly Tensor[],
): Gradients<T> {
  const nodes = ancestors(outputs);
  const relevant = new Set<Tensor>(inputs);
  for (const node of nodes) if (node.inputs.some((parent) => relevant.has(parent))) relevant.add(node);

  const gradients = new Map<Tensor, Tensor>();
  const parts = new Map<Tensor, Part[]>();
  const accumulate = (node: Tensor, g: Tensor) => {
    const sofar = gradients.get(node);
    gradients.set(node, sofar ? sofar.add(g) : g);
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
    const slices = parts.get(node);
    if (slices) accumulate(node, assemble(slices, node.shape));
    const g = gradients.get(node);
    const { operation } = node;
    // What is asked for passes nothing on, unless it depends on something else that is.
    const passesOn = node.inputs.some((parent) => relevant.has(parent));
    if (!g || !passesOn || !operation.gradient) continue;
    withScope(node.scope ? `gradient/${node.scope}` : "gradient", () => {
      if (operation.name === "slice") {
        const [parent] = node.inputs;
        const { axis, start, end } = node.attributes as unknown as Omit<Part, "g">;
        parts.set(parent, [...(parts.get(parent) ?? []), { axis, start, end, g: g.broadcastTo(node.shape) }]);
        return;
      }
      const full = operation.needsFullGradient ? g.broadcastTo(node.shape) : g;
      const contributions = operation.gradient!(full, node.inputs, node, node.attributes);
      node.inputs.forEach((parent, i) => {
        const contribution = contributions[i];
        if (!contribution || !relevant.has(parent)) return;
        if (operation.name === "matmul")
          accumulate(parent, sumTo(contribution, parent.shape, contribution.shape));
        else
          accumulate(
            parent,
            operation.broadcasts ? sumTo(contribution, parent.shape, node.shape) : contribution,
          );
      });
    });
  }
  const result = inputs.map((x) => gradients.get(x)?.broadcastTo(x.shape) ?? filled(0, x.shape));
  return result as Gradients<T>;
}

/** The gradient of a slice: of the positions start to end - 1 of an axis. */
interface Part {
  readonly axis: number;
  readonly start: number;
  readonly end: number;
  readonly g: Tensor;
}

/**
 * The gradient of a tensor from those of its slices, laid side by side: one concatenation where a sum of padded
 * gradients would run over the whole tensor once for each.
 */
function assemble(parts: readonly Part[], shape: Shape): Tensor {
  const axes = [...new Set(parts.map(({ axis }) => axis))];
  const alongEach = axes.map((axis) => {
    const own = parts.filter((part) => part.axis === axis);
    const cuts = [...new Set([0, shape[axis] as number, ...own.flatMap(({ start, end }) => [start, end])])];
    cuts.sort((a, b) => a - b);
    const segments = cuts.slice(1).map((end, i) => {
      const start = cuts[i];
      const covering = own.filter((part) => part.start <= start && part.end >= end);
      if (covering.length === 0)
        return filled(
          0,
          shape.map((d, k) => (k === axis ? end - start : d)),
        );
      return covering
        .map(({ g, start: from }) => g.slice(axis, start - from, end - from))
        .reduce((total, part) => total.add(part));
    });
    return concat(segments, axis);
  });
  return alongEach.reduce((total, part) => total.add(part));
}

/** Gradient of a scalar with respect to each of `inputs`, in their shapes. */
export function grad<const T extends readonly Tensor[]>(output: Tensor, inputs: T): Gradients<T> {
  if (output.rank !== 0) {
    throw new PushforwardError("SHAPE", "grad differentiates a scalar", {
      expected: "[]",
      received: formatShape(output.shape),
      hint: "Sum or average first, or use vjp or jacobian.",
    });
  }
  return vjp([output], inputs, [scalar(1)]);
}

/** The function's value with the gradients of it, for training: `[value, ...gradients]`. */
export function valueAndGrad<const T extends readonly Tensor[]>(
  output: Tensor,
  inputs: T,
): [Tensor, ...Gradients<T>] {
  return [output, ...grad(output, inputs)];
}

/**
 * Jacobian of each row: y [N, E] with respect to x [N, D] gives [N, E, D] where row n of y depends on row n of x alone.
 * Without a batch axis: y [E], x [D] gives [E, D]. Built from E vector-Jacobian products: for checks, not for training.
 */
export function jacobian(y: Tensor, x: Tensor): Tensor {
  const rows = y.rank === 2 && y.shape[0] === x.shape[0];
  if (y.rank !== x.rank || !(rows || y.rank === 1) || y.shape.at(-1) === "N" || x.shape.at(-1) === "N") {
    throw new PushforwardError("SHAPE", "jacobian takes vectors, or rows of vectors", {
      received: `${formatShape(y.shape)} by ${formatShape(x.shape)}`,
    });
  }
  const size = y.shape.at(-1) as number;
  const gradients = Array.from({ length: size }, (_, i) => {
    const unit = constant(
      Array.from({ length: size }, (_, j) => (i === j ? 1 : 0)),
      [size],
    );
    return vjp([y], [x], [unit])[0];
  });
  return stack(gradients, y.rank - 1);
}
