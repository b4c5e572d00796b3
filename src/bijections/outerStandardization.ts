import type { Standardize } from "./standardize.ts";

/**
 * The `Standardize` that a part of a model applies to its data rows before anything else, or the one that it applies to its context. `Flow`
 * takes it out of the graph and applies it to rows in float64: columns of numbers far from 0, such as years, would lose digits in float32.
 */
export interface OuterStandardization<T> {
  readonly standardize: Standardize;
  /**
   * The part for rows that `outer` has standardized: in place of its own standardization S it has the composition of S and the
   * inverse of `outer`.
   */
  relativeTo(outer: Standardize): T;
}

/** A part of a model that may be conditional. */
interface Conditional<T> {
  readonly context: number;
  readonly contextStandardization?: OuterStandardization<T> | undefined;
}

/** The context standardization of the first conditional part; undefined unless all conditional parts have one. */
export function commonContextStandardization(
  parts: readonly Conditional<unknown>[],
): Standardize | undefined {
  const standardizations = parts
    .filter(({ context }) => context > 0)
    .map(({ contextStandardization }) => contextStandardization?.standardize);
  return standardizations.includes(undefined) ? undefined : standardizations[0];
}

/** `part` for contexts that `outer` has standardized; an unconditional part is returned as it is. */
export const relativeToContext = <T extends Conditional<T>>(part: T, outer: Standardize): T =>
  part.context > 0 ? part.contextStandardization!.relativeTo(outer) : part;
