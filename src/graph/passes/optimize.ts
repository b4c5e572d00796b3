import { ancestors } from "../grad.ts";
import type { Operation } from "../operation.ts";
import * as elementwise from "../operations/elementwise.ts";
import * as source from "../operations/source.ts";
import { Parameter } from "../parameter.ts";
import { sameShape } from "../shape.ts";
import { Tensor } from "../tensor.ts";
import { withScope } from "../tracing/scope.ts";
import { rebuild, replaced } from "./rewrite.ts";
import { overTransposes } from "./transposes.ts";

/** Arithmetic on constants, done here where it is free. */
const folding: Record<string, (a: number, b: number) => number> = {
  add: (a, b) => a + b,
  sub: (a, b) => a - b,
  mul: (a, b) => a * b,
  div: (a, b) => a / b,
  neg: (a) => -a,
  exp: (a) => Math.exp(a),
  log: (a) => Math.log(a),
  reciprocal: (a) => 1 / a,
  sqrt: (a) => Math.sqrt(a),
  square: (a) => a * a,
};

/**
 * Rebuilds the graph of `outputs` bottom-up: equal subexpressions become one node, arithmetic on scalar constants is
 * done, and x + 0, x - 0, x * 1, x / 1, -(-x), x + (-y), x - (-y), sum(x) + sum(y), pairs of reshapes and joined transposes
 * are simplified. Dead code is never reached. Tensors that are `known` stay as they are, and so does what lies behind them.
 */
export function optimize(
  outputs: readonly Tensor[],
  known: { has(tensor: Tensor): boolean } = new Set<Tensor>(),
): Tensor[] {
  const replacement = new Map<Tensor, Tensor>();
  const interned = new Map<string, Tensor>();
  const simplified = new Map<Tensor, Tensor>();
  const intern = (candidate: Tensor): Tensor => {
    const { operation, attributes } = candidate;
    if (operation.name === "input") return candidate;
    const key = `${operation.name} ${candidate.inputs.map((t) => t.id).join(" ")} ${JSON.stringify(attributes, exact)}`;
    const same = interned.get(key);
    if (same) return same;
    interned.set(key, candidate);
    return candidate;
  };
  for (const node of ancestors(outputs, known)) {
    if (known.has(node)) {
      replacement.set(node, node);
      continue;
    }
    const candidate = intern(replaced(node, replacement));
    const simple = simplified.get(candidate) ?? intern(simplify(candidate));
    simplified.set(candidate, simple);
    replacement.set(node, simple);
  }
  return outputs.map((output) => replacement.get(output)!);
}

/** The graph of `outputs` with some of its tensors replaced by others of their shapes. */
export function substitute(outputs: readonly Tensor[], others: ReadonlyMap<Tensor, Tensor>): Tensor[] {
  const replacement = new Map(others);
  for (const node of ancestors(outputs, others)) {
    if (!replacement.has(node)) replacement.set(node, replaced(node, replacement));
  }
  return outputs.map((output) => replacement.get(output)!);
}

/** A parameter that nothing sees but through a mask, a constant of zeros and ones. */
export interface Masked {
  readonly parameter: Parameter;
  readonly mask: readonly number[];
  /** The products of the two. */
  readonly products: readonly Tensor[];
}

/** The masked parameters among what `outputs` depend on. */
export function maskedParameters(outputs: readonly Tensor[]): Masked[] {
  const uses = new Map<Parameter, Tensor[]>();
  for (const node of ancestors(outputs))
    for (const parent of node.inputs)
      if (parent instanceof Parameter) uses.set(parent, [...(uses.get(parent) ?? []), node]);
  return [...uses].flatMap(([parameter, products]) => {
    const [mask, ...others] = products.map((product) => maskOf(product, parameter));
    const same = others.every((other) => other && mask?.every((m, i) => m === other[i]));
    return mask && same ? [{ parameter, mask, products }] : [];
  });
}

/** The zeros and ones that a product multiplies a parameter by, if that is what it does. */
function maskOf({ operation, inputs: [a, b], shape }: Tensor, parameter: Parameter): number[] | undefined {
  const other = a === parameter ? b : a;
  if (operation.name !== "mul" || other.operation.name !== "constant") return undefined;
  const values = other.attributes.values as number[];
  const fits = sameShape(other.shape, shape) && sameShape(parameter.shape, shape);
  return fits && values.every((m) => m === 0 || m === 1) ? values : undefined;
}

/** JSON has no infinities and no -0. */
const exact = (_key: string, value: unknown) =>
  typeof value === "number" && (!Number.isFinite(value) || Object.is(value, -0))
    ? `${1 / value} ${value}`
    : value;

function simplify(node: Tensor): Tensor {
  const { operation, inputs, shape } = node;
  const values = inputs.map(scalarValue);
  const fold = folding[operation.name];
  if (fold && shape.length === 0 && values.every((v) => v !== undefined)) {
    const value = fold(values[0]!, values[1]!);
    return withScope(
      node.scope,
      () => new Tensor(source.constant as unknown as Operation, [], { shape: [], values: [value] }),
    );
  }
  const [a, b] = inputs;
  const [va, vb] = values;
  // A scalar constant leaves the shape to the other operand.
  switch (operation.name) {
    case "add":
      if (vb === 0) return a;
      if (va === 0) return b;
      if (b.operation.name === "neg") return rebuild(elementwise.sub, [a, b.inputs[0]], node);
      if (a.operation.name === "neg") return rebuild(elementwise.sub, [b, a.inputs[0]], node);
      if (isSameSum(a, b))
        return withScope(
          node.scope,
          () => new Tensor(a.operation, [a.inputs[0].add(b.inputs[0])], a.attributes),
        );
      break;
    case "sub":
      if (vb === 0) return a;
      if (b.operation.name === "neg") return rebuild(elementwise.add, [a, b.inputs[0]], node);
      break;
    case "mul":
      if (vb === 1) return a;
      if (va === 1) return b;
      break;
    case "div":
      if (vb === 1) return a;
      break;
    case "neg":
      if (a.operation.name === "neg") return a.inputs[0];
      break;
    case "stopGradient":
      return a;
    case "reshape":
    case "broadcastTo":
      if (sameShape(a.shape, shape)) return a;
      if (a.operation === operation) {
        const [origin] = a.inputs;
        return sameShape(origin.shape, shape) ? origin : rebuild(operation, [origin], node);
      }
  }
  return withScope(node.scope, () => overTransposes(node)) ?? node;
}

/** Whether two tensors are sums over the same axes of tensors of one shape: one sum, of x + y, takes less time. */
function isSameSum(a: Tensor, b: Tensor): boolean {
  if (a.operation.name !== "sum" || b.operation.name !== "sum") return false;
  const same = JSON.stringify(a.attributes) === JSON.stringify(b.attributes);
  return same && sameShape(a.inputs[0].shape, b.inputs[0].shape);
}

function scalarValue(x: Tensor): number | undefined {
  if (x.operation.name !== "constant" || x.shape.length !== 0) return undefined;
  return (x.attributes.values as number[])[0];
}
