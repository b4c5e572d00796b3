import * as z from "zod/mini";
import { type Category, customKind } from "./customKinds.ts";
import { parse } from "./parse.ts";
import type { Random } from "./random/index.ts";
import { largestSize } from "./sizeBudget.ts";

/** A part of a model as plain data, which JSON can hold: its type, and what its constructor takes. */
export interface Description {
  readonly type: string;
  readonly [key: string]: unknown;
}

/** How much there is of something, at least 1. A model file cannot declare more than it has bytes for. */
export const sizeSchema = ofFile(z.int().check(z.positive()));

/** The same from 0 on. */
export const countSchema = ofFile(z.int().check(z.nonnegative()));

function ofFile<S extends z.ZodMiniNumberFormat>(schema: S): S {
  return schema.check(
    z.refine((size) => size <= largestSize(), {
      error: () => `at most ${largestSize()}, for the size of the file`,
    }),
  );
}

/** A number above 0 that float32 holds, and its reciprocal and products with it too. */
export const positiveSchema = z.number().check(z.positive(), z.minimum(1e-30), z.maximum(1e30));

/** Any number that float32 holds, with room for sums and differences. */
export const realSchema = z.number().check(z.minimum(-1e30), z.maximum(1e30));

/** Of layers in a network: deeper ones are not trained, and a description must not ask for any number of them. */
export const MAX_LAYERS = 1000;

type ObjectSchema = z.ZodMiniObject<{ type: z.ZodMiniLiteral<string> }>;

/** The type that descriptions of a schema have. */
export const typeOf = (schema: ObjectSchema): string => schema.shape.type.def.values[0];

/** The schema of one kind of part; a part that holds others is given the schema of all kinds. */
export type KindSchema = ObjectSchema | ((nested: NestedSchema) => ObjectSchema);

/** The schema of a part inside a part: that of all kinds. */
export type NestedSchema = z.ZodMiniType<Description, Description>;

type SchemaOf<S extends KindSchema> = S extends ((nested: NestedSchema) => infer R extends z.ZodMiniType)
  ? R
  : S;

/**
 * How one type of bijection or distribution is checked and built from its description. The registry.ts of each folder lists
 * its kinds.
 */
export interface Kind<T, S extends KindSchema = KindSchema> {
  readonly schema: S;
  /** `random` gives starting values; `nested` builds the parts that this one holds. */
  build(
    description: z.output<SchemaOf<S>>,
    random: Random,
    nested: (description: Description, random: Random) => T,
  ): T;
}

/** The descriptions that a list of kinds understands, as a union. */
export type DescriptionOf<K> = K extends readonly Kind<infer _, infer S>[] ? z.output<SchemaOf<S>> : never;

/** A schema that leaves a value of a custom kind to that, what `isBuilt` as it is, and any other to `own`. */
export function orCustom<S extends z.ZodMiniType>(
  category: Category,
  own: S,
  isBuilt: (value: unknown) => boolean = () => false,
): S {
  const anything = z.unknown();
  const schema = z.lazy(() => own);
  // What `z.lazy` does, but with a schema that depends on the value: to parse by one inside a `transform` would make an error
  // with its stack for each part that does not fit, of which a hostile file may have many.
  const choose: typeof schema._zod.run = (payload, context) => {
    const kind = customKind(category, (payload.value as { type?: unknown } | null | undefined)?.type);
    const chosen = isBuilt(payload.value) ? anything : kind ? (kind.schema ?? anything) : own;
    return chosen._zod.run(payload, context) as ReturnType<typeof schema._zod.run>;
  };
  Object.assign(schema._zod, { parse: choose, run: choose });
  return schema as unknown as S;
}

/**
 * What a list of kinds makes together: the schema of all, told apart by `type`, and a function that checks a description
 * by it and builds it. Both know custom kinds, too, inside `withKinds`. `what` names one in errors: "a bijection".
 */
export function registry<T>(kinds: readonly Kind<T>[], what: string, category: Category) {
  const schemas = () =>
    kinds.map(({ schema: own }): ObjectSchema => (typeof own === "function" ? own(schema) : own));
  const registered: NestedSchema = z.lazy(() => {
    const [first, ...rest] = schemas();
    return z.discriminatedUnion("type", [first, ...rest]) as unknown as NestedSchema;
  });
  const schema = orCustom(category, registered);
  const kindOf = new Map(schemas().map((own, i) => [typeOf(own), kinds[i]]));
  const build = (description: Description, random: Random): T =>
    (customKind(category, description.type)?.build(description as never, random) as T | undefined) ??
    kindOf.get(description.type)!.build(description, random, build);
  return {
    schema,
    build: (description: Description, random: Random): T =>
      build(parse(schema, description, what, "MODEL"), random),
    types: new Set(kindOf.keys()) as ReadonlySet<string>,
  };
}
