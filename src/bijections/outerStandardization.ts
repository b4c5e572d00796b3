import type { Standardize } from "./standardize.ts";

/**
 * A standardization at the data side of a part of a model, or of its context, which may be applied before the part, in float64:
 * columns far from 0 then lose no digits to float32.
 */
export interface OuterStandardization<T> {
  readonly standardize: Standardize;
  /** The part for numbers that `outer` has standardized; it keeps the difference between its own standardization and `outer`. */
  relativeTo(outer: Standardize): T;
}

/** A part of a model that may be conditional. */
interface Conditional<T> {
  readonly context: number;
  readonly contextStandardization?: OuterStandardization<T> | undefined;
}

/** The first standardization of the context by one of the `parts`, if each of them that is conditional has one. */
export function commonContextStandardization(
  parts: readonly Conditional<unknown>[],
): Standardize | undefined {
  const all = parts
    .filter(({ context }) => context > 0)
    .map(({ contextStandardization }) => contextStandardization?.standardize);
  return all.includes(undefined) ? undefined : all[0];
}

/** A part, which standardizes its context if it is conditional, for contexts that `outer` has standardized. */
export const relativeToContext = <T extends Conditional<T>>(part: T, outer: Standardize): T =>
  part.context > 0 ? part.contextStandardization!.relativeTo(outer) : part;
