import { PushforwardError } from "../../errors.ts";
import { constantValues } from "../../graph/operations/source.ts";
import type { Tensor } from "../../graph/tensor.ts";
import { type DataInput, data } from "../data.ts";

/**
 * An argument of a log-density: a tensor, such as a parameter; a number; or arrays of data. All arguments are broadcast, and the
 * batch axis stays in front: data [n] and a parameter [N] give [N, n].
 */
export type Argument = DataInput;

/** Counts as a tensor. Throws `DATA` if data are not non-negative integers. */
export function countsOf(argument: Argument): Tensor {
  const counts = data(argument);
  const invalid = constantValues(counts)?.find((k) => !(Number.isInteger(k) && k >= 0));
  if (invalid === undefined) return counts;
  throw new PushforwardError("DATA", "the data have a value that is not a count", {
    expected: "non-negative integers",
    received: `${invalid}`,
  });
}

/**
 * The log-density `f` where `inside` is true, and -Infinity with gradient 0 elsewhere. Outside, f is computed at `replacement`, a point of
 * the support, so that its gradient stays finite.
 */
export function onSupport(x: Tensor, inside: Tensor, replacement: number, f: (x: Tensor) => Tensor): Tensor {
  return inside.where(f(inside.where(x, replacement)), Number.NEGATIVE_INFINITY);
}
