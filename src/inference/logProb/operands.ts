import { PushforwardError } from "../../errors.ts";
import { constantValues } from "../../graph/operations/source.ts";
import type { Tensor } from "../../graph/tensor.ts";
import { type DataInput, data } from "../data.ts";

/**
 * An argument of a log-density: a tensor, such as a parameter; a number; or arrays of data. All arguments are broadcast, and the
 * batch axis stays in front: data [n] and a parameter [N] give [N, n].
 */
export type Argument = DataInput;

/** Counts as a tensor. Throws `DATA` if data are not integers from 0 to `largest`. */
export function countsOf(argument: Argument, largest = Number.POSITIVE_INFINITY): Tensor {
  const counts = data(argument);
  const invalid = constantValues(counts)?.find((k) => !(Number.isInteger(k) && k >= 0 && k <= largest));
  if (invalid === undefined) return counts;
  throw new PushforwardError("DATA", "the data have a count that is not valid", {
    expected: largest < Number.POSITIVE_INFINITY ? `integers from 0 to ${largest}` : "non-negative integers",
    received: `${invalid}`,
  });
}

/** The log-probability `f` of counts from 0 to `largest`, and -Infinity with gradient 0 for other numbers. */
export function onCounts(
  counts: Tensor,
  f: (k: Tensor) => Tensor,
  largest: Tensor | number = Number.POSITIVE_INFINITY,
): Tensor {
  // `countsOf` has checked data, but not against a tensor.
  if (constantValues(counts) && typeof largest === "number") return f(counts);
  const isCount = counts.greaterEqual(0).and(counts.floor().equal(counts));
  return onSupport(counts, isCount.and(counts.lessEqual(largest)), 0, f);
}

/**
 * The log-density `f` where `inside` is true, and -Infinity with gradient 0 elsewhere. Outside, f is computed at `replacement`, a point of
 * the support, so that its gradient stays finite.
 */
export function onSupport(x: Tensor, inside: Tensor, replacement: number, f: (x: Tensor) => Tensor): Tensor {
  return inside.where(f(inside.where(x, replacement)), Number.NEGATIVE_INFINITY);
}
