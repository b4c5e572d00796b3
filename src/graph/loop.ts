import { PushforwardError } from "../errors.ts";
import { ancestors } from "./grad.ts";
import type { LoopBody, Operation } from "./operation.ts";
import * as source from "./operations/source.ts";
import { optimize } from "./passes/optimize.ts";
import { Tensor } from "./tensor.ts";

/**
 * Repeats `step` from `initial` until it says not to proceed (a boolean scalar), and at most `most` times; gives the last
 * state, in tensors of the shapes of `initial`. The first turn is always made.
 *
 * The step is traced once, and becomes the body of an ONNX Loop; what in it does not depend on the state is computed
 * before the loop. The results have no gradient, and to ask for one is an `ARGUMENT` error: `withGradient` gives them one.
 */
export function loop(
  initial: readonly Tensor[],
  step: (state: readonly Tensor[]) => { state: readonly Tensor[]; proceed: Tensor },
  { most }: { most: number },
): Tensor[] {
  const state = initial.map(({ shape }) => placeholder(shape));
  const traced = step(state);
  // What is older than the state cannot depend on it: to leave it alone keeps the work of loop after loop from adding up.
  const before = { has: ({ id }: Tensor) => id < state[0].id };
  const [proceed, ...next] = optimize([traced.proceed, ...traced.state], before);
  const body = { state, next, proceed };
  const captured = capturedBy([proceed, ...next], state, before);
  const repeat = loopOperation(body, captured, most);
  const whole = new Tensor(repeat, [...initial, ...captured], { loop: loops++ });
  return initial.map(({ shape }, index) => new Tensor(result, [whole], { index, shape: [...shape] }));
}

let loops = 0;

/** A tensor that stands for another inside of what is traced, and is replaced before the graph runs. */
export const placeholder = (shape: Tensor["shape"]): Tensor =>
  new Tensor(source.input as unknown as Operation, [], { shape: [...shape] }, "placeholder");

/** What `outputs` use that does not depend on `placeholders`; nothing that is `known` does. */
export function capturedBy(
  outputs: readonly Tensor[],
  placeholders: readonly Tensor[],
  known?: { has(tensor: Tensor): boolean },
): Tensor[] {
  const inside = new Set(placeholders);
  const captured = new Set<Tensor>();
  const all = ancestors(outputs, known);
  for (const node of all) if (node.inputs.some((parent) => inside.has(parent))) inside.add(node);
  for (const node of all) {
    if (!inside.has(node)) continue;
    for (const parent of node.inputs) if (!inside.has(parent)) captured.add(parent);
  }
  for (const output of outputs) if (!inside.has(output)) captured.add(output);
  return [...captured];
}

function loopOperation(body: LoopBody, captured: readonly Tensor[], most: number): Operation {
  return {
    name: "loop",
    shape: () => [],
    emit: (onnx, inputs) => {
      const outside = inputs.slice(body.state.length);
      const names = new Map(captured.map((tensor, i) => [tensor, outside[i]]));
      return onnx.loop(body, inputs.slice(0, body.state.length), names, most);
    },
  };
}

const result: Operation = {
  name: "loopResult",
  shape: (_inputs, { shape }) => shape as Tensor["shape"],
  gradient() {
    throw new PushforwardError("ARGUMENT", "what a loop computes has no gradient of its own", {
      hint: "State one with `withGradient`, or stop it with `stopGradient`. Integrals have no second derivatives.",
    });
  },
  emit: (_onnx, [whole], { index }) => `${whole}.${index}`,
};

/**
 * `value` with a gradient of its own: `gradient` takes the gradient with respect to the value, in its shape, and gives those
 * with respect to `inputs`, in theirs, or null where there is none. Nothing flows back through the value itself.
 */
export function withGradient(
  value: Tensor,
  inputs: readonly Tensor[],
  gradient: (g: Tensor) => readonly (Tensor | null)[],
): Tensor {
  const operation: Operation = {
    name: "withGradient",
    needsFullGradient: true,
    shape: ([x]) => x.shape,
    gradient: (g) => [null, ...gradient(g)],
    emit: (_onnx, [x]) => x,
  };
  return new Tensor(operation, [value, ...inputs], {});
}

/** The distance from 1 to the next number of the precision that the graph is compiled to: 2^-23 or 2^-52. */
export const epsilon = (): Tensor => new Tensor(epsilonOperation, [], {});

const epsilonOperation: Operation = {
  name: "epsilon",
  shape: () => [],
  emit: (onnx) => onnx.scalar(onnx.epsilon),
};
