import { checkOptions, integerFrom, type OptionRules, PushforwardError, required } from "../check/index.ts";
import type { LoopBody, Operation } from "./operation.ts";
import { optimize } from "./passes/optimize.ts";
import { expandOperations } from "./passes/rewrite.ts";
import { formatShape, type Shape } from "./shape.ts";
import { capturedBy, placeholder } from "./substitute.ts";
import { Tensor } from "./tensor.ts";

const optionRules: OptionRules<{ maxIterations: number }> = { maxIterations: required(integerFrom(1)) };

/**
 * Repeats `step` from the state `initial` while its `proceed`, a boolean scalar, is true, at most `maxIterations` times.
 * Returns the last state, in the shapes of `initial`. There is always a first iteration.
 *
 * The step is traced once and becomes the body of an ONNX Loop; whatever does not depend on the state is computed before the
 * loop. The results have no gradient: differentiating them throws `ARGUMENT`. `withGradient` can give them one.
 *
 * Throws `ARGUMENT` for an empty state, a boolean tensor in it, or a `maxIterations` that is not a positive integer, and `SHAPE` if the
 * step returns another number of tensors, tensors of other shapes or types, or a `proceed` that is not a boolean scalar.
 */
export function loop(
  initial: readonly Tensor[],
  step: (state: readonly Tensor[]) => { state: readonly Tensor[]; proceed: Tensor },
  options: { maxIterations: number },
): Tensor[] {
  checkOptions("loop", options, optionRules);
  if (initial.length === 0) throw new PushforwardError("ARGUMENT", "the state of a loop has no tensor");
  const state = initial.map(({ shape }) => placeholder(shape));
  const traced = step(state);
  checkStep(state, traced.state, traced.proceed);
  // Tensors that are older than the state do not depend on it and stay as they are: optimizing them again for each of many loops
  // would take quadratic time.
  const independent = { has: ({ id }: Tensor) => id < state[0].id };
  const expanded = expandOperations([traced.proceed, ...traced.state], { kept: independent });
  const [proceed, ...next] = optimize(expanded, independent);
  const captured = capturedBy([proceed, ...next], state, independent);
  const operation = loopOperation({ state, next, proceed }, captured, options.maxIterations);
  const node = new Tensor(operation, [...initial, ...captured], {});
  return initial.map(({ shape }, index) => new Tensor(loopResult, [node], { index, shape: [...shape] }));
}

/** Throws `SHAPE` unless a step returns a state like the one that it receives, and a boolean scalar. */
function checkStep(state: readonly Tensor[], next: readonly Tensor[], proceed: Tensor): void {
  if (next.length !== state.length) {
    throw new PushforwardError("SHAPE", "the step of a loop returns a wrong number of tensors", {
      expected: `${state.length}, as in the initial state`,
      received: `${next.length}`,
    });
  }
  const requireLike = (name: string, expected: string, received: string) => {
    if (received === expected) return;
    throw new PushforwardError("SHAPE", `the step of a loop returns ${name} of a wrong type or shape`, {
      expected,
      received,
    });
  };
  state.forEach((tensor, i) => {
    requireLike(`state[${i}]`, typeAndShape(tensor), typeAndShape(next[i]));
  });
  requireLike("proceed", "bool []", typeAndShape(proceed));
}

const typeAndShape = ({ type, shape }: Tensor): string => `${type} ${formatShape(shape)}`;

function loopOperation(body: LoopBody, captured: readonly Tensor[], maxIterations: number): Operation {
  return {
    name: "loop",
    inputTypes: [...body.state.map(() => "float" as const), "any"],
    shape: () => [],
    emit: (onnx, inputs) => {
      const capturedNames = inputs.slice(body.state.length);
      const names = new Map(captured.map((tensor, i) => [tensor, capturedNames[i]]));
      return onnx.loop(body, inputs.slice(0, body.state.length), names, maxIterations);
    },
  };
}

const loopResult: Operation = {
  name: "loopResult",
  shape: (_inputs, { shape }) => shape as Shape,
  gradient() {
    throw new PushforwardError("ARGUMENT", "the result of a loop cannot be differentiated", {
      hint: "Define a gradient with `withGradient`, or use `stopGradient`. The gradient of `integrate` cannot be differentiated again.",
    });
  },
  // The runtime infers no shapes from the body of a loop.
  hasComputedShape: true,
  emit: (_onnx, [loop], { index }) => `${loop}.${index}`,
};
