import type * as z from "zod/mini";
import type { Random } from "./random/index.ts";

/** What a description can be of. */
export type Category = "bijection" | "distribution" | "scalarTransform";

/** A kind that is not in a registry of pushforward: how a description of its type is checked and built. */
export interface RegisteredKind {
  readonly schema?: z.core.$ZodType | undefined;
  build(description: never, random: Random): unknown;
}

export type KindsByCategory = Readonly<Record<Category, ReadonlyMap<string, RegisteredKind>>>;

let current: KindsByCategory | undefined;

/** Runs `build`, in which descriptions may be of these kinds too. */
export function withKinds<T>(kinds: KindsByCategory, build: () => T): T {
  const outer = current;
  current = kinds;
  try {
    return build();
  } finally {
    current = outer;
  }
}

/** The kind of this type among those that `withKinds` added. */
export const customKind = (category: Category, type: unknown): RegisteredKind | undefined =>
  typeof type === "string" ? current?.[category].get(type) : undefined;
