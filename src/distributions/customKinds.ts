import type * as z from "zod/mini";
import {
  type Bijection,
  bijectionRegistry,
  readScalarTransform,
  type ScalarTransform,
  scalarTransformRegistry,
} from "../bijections/index.ts";
import { brief, PushforwardError } from "../check/index.ts";
import { type Category, type Description, type RegisteredKind, withKinds } from "../parts/index.ts";
import type { Random } from "../random/index.ts";
import { distributionRegistry } from "./build.ts";
import type { Distribution } from "./distribution.ts";

/** Functions that build the parts of a custom bijection or distribution. Each throws `MODEL` if the description is invalid. */
export interface Builders {
  /** Builds a bijection inside the custom part. */
  bijection(description: Description, random: Random): Bijection;
  /** Builds a distribution inside the custom part. */
  distribution(description: Description, random: Random): Distribution;
  /** Builds a scalar transform inside the custom part. */
  scalarTransform(description: Description): ScalarTransform;
}

/** A description of a custom kind after its schema has checked it. Only the schema knows the types of the fields. */
export interface CustomDescription {
  readonly type: string;
  // biome-ignore lint/suspicious/noExplicitAny: each kind has different fields, and its code may declare their types.
  readonly [field: string]: any;
}

interface CustomKindOf<T> {
  /** Checks a description and adds defaults. Without a schema, `build` receives the description unchecked. */
  readonly schema?: z.core.$ZodType;
  /**
   * The inverse of `describe()`, except for the values of parameters, which are loaded afterwards. `random` draws initial
   * weights, and `builders` build the parts.
   */
  build(description: CustomDescription, random: Random, builders: Builders): T;
}

/**
 * A custom class that flows can be saved and loaded with: the `type` that its `describe()` returns, under the name of its
 * category, and a function that builds it from its description. Example:
 * `{ bijection: "shear", build: () => new Shear() }`.
 */
export type CustomKind =
  | ({ readonly bijection: string } & CustomKindOf<Bijection>)
  | ({ readonly distribution: string } & CustomKindOf<Distribution>)
  | ({ readonly scalarTransform: string } & CustomKindOf<ScalarTransform>);

const BUILDERS: Builders = {
  bijection: (description, random) => bijectionRegistry.build(description, random),
  distribution: (description, random) => distributionRegistry.build(description, random),
  scalarTransform: readScalarTransform,
};

const BUILT_IN_TYPES: Readonly<Record<Category, { has(type: string): boolean }>> = {
  bijection: bijectionRegistry,
  distribution: distributionRegistry,
  scalarTransform: scalarTransformRegistry,
};

/**
 * Runs `build`, in which descriptions may have the types of custom kinds. Throws `ARGUMENT` for an invalid kind, and for a
 * type that two kinds have or that pushforward defines. If there are custom kinds, `registerAllKinds` must have been called.
 */
export function withCustomKinds<T>(kinds: readonly CustomKind[], build: () => T): T {
  const registered: Record<Category, Map<string, RegisteredKind>> = {
    bijection: new Map(),
    distribution: new Map(),
    scalarTransform: new Map(),
  };
  for (const kind of kinds) {
    const [category, type] = categoryOf(kind);
    if (registered[category].has(type) || BUILT_IN_TYPES[category].has(type)) {
      throw new PushforwardError("ARGUMENT", `two kinds of ${category} have the type ${brief(type)}`, {
        hint: "Choose a type that no other class has.",
      });
    }
    registered[category].set(type, {
      schema: kind.schema,
      build: (description: CustomDescription, random) => kind.build(description, random, BUILDERS),
    });
  }
  return withKinds(registered, build);
}

function categoryOf(kind: CustomKind): [Category, string] {
  const fields = (kind ?? {}) as Partial<Record<Category, unknown>> & { build?: unknown };
  const categories = (Object.keys(BUILT_IN_TYPES) as Category[]).filter(
    (key) => typeof fields[key] === "string",
  );
  const [category] = categories;
  if (categories.length === 1 && typeof fields.build === "function")
    return [category, fields[category] as string];
  throw new PushforwardError("ARGUMENT", "a custom kind is invalid", {
    expected:
      'an object such as { bijection: "shear", build: (description, random) => ... }, or with distribution or scalarTransform instead of bijection',
    received: brief(kind),
  });
}
