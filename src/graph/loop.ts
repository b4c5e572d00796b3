import { PushforwardError } from "../errors.ts";
import type { LoopBody, Operation } from "./operation.ts";
import { optimize } from "./passes/optimize.ts";
import { expandOperations } from "./passes/rewrite.ts";
import type { Shape } from "./shape.ts";
import { capturedBy, placeholder } from "./substitute.ts";
import { Tensor } from "./tensor.ts";

/**
 * Repeats `step` from the state `initial` while its `proceed`, a boolean scalar, is true, at most `maxIterations` times.
 * Returns the last state, in the shapes of `initial`. There is always a first iteration.
 *
 * The step is traced once and becomes the body of an ONNX Loop; whatever does not depend on the state is computed before the
 * loop. The results have no gradient: differentiating them throws `ARGUMENT`. `withGradient` can give them one.
 */
export function loop(
  initial: readonly Tensor[],
  step: (state: readonly Tensor[]) => { state: readonly Tensor[]; proceed: Tensor },
  { maxIterations }: { maxIterations: number },
): Tensor[] {
  const state = initial.map(({ shape }) => placeholder(shape));
  const traced = step(state);
  // Tensors that are older than the state do not depend on it and stay as they are: optimizing them again for each of many loops
  // would take quadratic time.
  const independent = { has: ({ id }: Tensor) => id < state[0].id };
  const expanded = expandOperations([traced.proceed, ...traced.state], { kept: independent });
  const [proceed, ...next] = optimize(expanded, independent);
  const captured = capturedBy([proceed, ...next], state, independent);
  const operation = loopOperation({ state, next, proceed }, captured, maxIterations);
  const node = new Tensor(operation, [...initial, ...captured], { loop: loopCount++ });
  return initial.map(({ shape }, index) => new Tensor(loopResult, [node], { index, shape: [...shape] }));
}

/** Numbers the loops, so that `optimize` does not merge two loops as equal nodes. */
let loopCount = 0;

function loopOperation(body: LoopBody, captured: readonly Tensor[], maxIterations: number): Operation {
  return {
    name: "loop",
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
      hint: "Define a gradient with `withGradient`, or use `stopGradient`. Integrals have no second derivatives.",
    });
  },
  // The runtime infers no shapes from the body of a loop.
  hasComputedShape: true,
  emit: (_onnx, [loop], { index }) => `${loop}.${index}`,
};
