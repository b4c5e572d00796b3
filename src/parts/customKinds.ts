import type * as z from "zod/mini";
import type { Random } from "../random/index.ts";

/** The categories of the parts of a model: each part has a description in the model file. */
export type Category = "bijection" | "distribution" | "scalarTransform";

/** A kind that the user added: how a description of its type is checked and built. */
export interface RegisteredKind {
  readonly schema?: z.core.$ZodType | undefined;
  build(description: never, random: Random): unknown;
}

export type KindsByCategory = Readonly<Record<Category, ReadonlyMap<string, RegisteredKind>>>;

let current: KindsByCategory | undefined;

/** Calls `build`. While it runs, descriptions may also have the types of `kinds`. */
export function withKinds<T>(kinds: KindsByCategory, build: () => T): T {
  const outer = current;
  current = kinds;
  try {
    return build();
  } finally {
    current = outer;
  }
}

/** The custom kind of this type, if `withKinds` is running and has one. */
export const customKind = (category: Category, type: unknown): RegisteredKind | undefined =>
  typeof type === "string" ? current?.[category].get(type) : undefined;
