import { PushforwardError } from "../../check/index.ts";
import { constantValues, type Tensor } from "../../graph/index.ts";
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

/** The log-probability `f` of counts from 0 to `largest`, and -Infinity with gradient 0 for other numbers, and NaN for NaN. */
export function onCounts(
  counts: Tensor,
  f: (k: Tensor) => Tensor,
  largest: Tensor | number = Number.POSITIVE_INFINITY,
): Tensor {
  // `countsOf` has checked data, but not against a tensor.
  if (constantValues(counts) && typeof largest === "number") return f(counts);
  const isNoCount = counts.less(0).or(counts.floor().less(counts));
  return unlessOutside(counts, isNoCount.or(counts.greater(largest)), 0, f);
}

/**
 * -Infinity with gradient 0 where x is `outside` of the support, and the log-density `f` elsewhere. Outside, f is computed at `replacement`, a
 * point of the support, so that its gradient stays finite. If `outside` is a comparison, it is false for NaN, whose log-density is then NaN.
 */
export function unlessOutside(
  x: Tensor,
  outside: Tensor,
  replacement: number,
  f: (x: Tensor) => Tensor,
): Tensor {
  return outside.where(Number.NEGATIVE_INFINITY, f(outside.where(replacement, x)));
}
