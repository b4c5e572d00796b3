import * as z from "zod/mini";
import { largestSize, PushforwardError, parse } from "../check/index.ts";
import type { Random } from "../random/index.ts";
import { type Category, customKind } from "./customKinds.ts";

/*
 * A model is a tree of parts. Each part belongs to a category: it is a bijection, a distribution or a scalar transform. Its
 * description is JSON with a `type`, such as "coupling", the options of its constructor, and the descriptions of nested parts.
 *
 * A kind defines one type: the schema of its descriptions, and a function that builds a part from a description. Each category
 * has a `KindRegistry` with the built-in kinds. Custom kinds, for classes of the user, are not in a registry: they exist only
 * while `withKinds` of customKinds.ts runs, such as when a model file is read.
 */

/** A part of a model as JSON. */
export interface Description {
  readonly type: string;
  readonly [key: string]: unknown;
}

/** An integer of at least 1, such as a number of features or hidden units, bounded by `boundedByFile`. */
export const sizeSchema = boundedByFile(z.int().check(z.positive()));

/** An integer of at least 0, such as a number of context features, bounded by `boundedByFile`. */
export const countSchema = boundedByFile(z.int().check(z.nonnegative()));

/**
 * Limits a number to about the size of the model file that is being read, which sizeBudget.ts knows while it builds the model.
 * The parameters and columns that a size stands for take space in the file, so a real model is below the limit, whereas a small
 * hostile file could declare 10^9 units and make the reader allocate gigabytes. Outside of files there is no limit.
 */
function boundedByFile<S extends z.ZodMiniNumberFormat>(schema: S): S {
  return schema.check(
    z.refine((size) => size <= largestSize(), {
      error: () => `at most ${largestSize()}, because of the size of the file`,
    }),
  );
}

/** A number from 1e-30 to 1e30: multiplied or divided by up to 10^7, it and its reciprocal stay normal numbers of float32. */
export const positiveSchema = z.number().check(z.positive(), z.minimum(1e-30), z.maximum(1e30));

/** A number from -1e30 to 1e30, far below the largest float32 (3e38), so that sums and differences do not overflow. */
export const realSchema = z.number().check(z.minimum(-1e30), z.maximum(1e30));

/**
 * The largest number of layers of a network or flow. Each layer takes time and memory to build, so a hostile description must
 * not declare millions of them. Networks that can be trained are much shallower.
 */
export const MAX_LAYERS = 1000;

type ObjectSchema = z.ZodMiniObject<{ type: z.ZodMiniLiteral<string> }>;

/** The `type` that a schema requires: "coupling" for `z.strictObject({ type: z.literal("coupling"), ... })`. */
export const typeOf = (schema: ObjectSchema): string => schema.shape.type.def.values[0];

/**
 * The schema of one kind. A kind whose parts contain parts of the same category, such as a chain of bijections, has a function
 * instead, which receives the schema of the whole category: each of the two schemas contains the other, so neither could be
 * defined first.
 */
export type KindSchema = ObjectSchema | ((nested: NestedSchema) => ObjectSchema);

/** The schema of a nested part: the union of the schemas of all kinds of its category. */
export type NestedSchema = z.ZodMiniType<Description, Description>;

/** The object schema of a kind, whether the kind has it as a value or as a function. */
type SchemaOf<S extends KindSchema> = S extends ((nested: NestedSchema) => infer R extends z.ZodMiniType)
  ? R
  : S;

/** How parts `T` of one type are validated and built. Each category has a registry.ts that lists its built-in kinds. */
export interface Kind<T, S extends KindSchema = KindSchema> {
  readonly schema: S;
  /** Builds a part. `random` draws the initial values of its parameters; `nested` builds a nested part from its description. */
  build(
    description: z.output<SchemaOf<S>>,
    random: Random,
    nested: (description: Description, random: Random) => T,
  ): T;
}

/** The union of the types of the descriptions of a list of kinds. */
export type DescriptionOf<K> = K extends readonly Kind<infer _, infer S>[] ? z.output<SchemaOf<S>> : never;

/**
 * Whether `parse` rejected the `type` field of a description, at any depth: the type is missing, or neither a built-in nor a
 * custom kind has it.
 */
export const isUnknownType = (error: unknown): error is PushforwardError =>
  error instanceof PushforwardError && /(^|\.)type$/.test(error.path ?? "");

/**
 * The schema of all parts of a category. It accepts a value for which `isBuilt` is true, since that is a part already; validates a
 * description of a custom type by the schema of its kind; and validates any other value by the schema that `builtIn` returns.
 *
 * zod has no schema whose alternatives change from call to call, so this function replaces `parse` and `run`, which zod calls
 * internally. The public way, `safeParse` inside of a `transform`, creates an error with a stack trace for each invalid part, and
 * a hostile file may have 100,000 invalid parts.
 */
function partSchema<S extends z.ZodMiniType>(
  category: Category,
  builtIn: () => S,
  isBuilt: (value: unknown) => boolean = () => false,
): S {
  const anything = z.unknown();
  const schema = z.lazy(builtIn);
  const schemaFor = (value: unknown) => {
    if (isBuilt(value)) return anything;
    const custom = customKind(category, (value as { type?: unknown } | null | undefined)?.type);
    return custom ? (custom.schema ?? anything) : builtIn();
  };
  const run: typeof schema._zod.run = (payload, context) =>
    schemaFor(payload.value)._zod.run(payload, context) as ReturnType<typeof run>;
  Object.assign(schema._zod, { parse: run, run });
  return schema as unknown as S;
}

/**
 * The built-in kinds of one category, whose parts are of type `T`. The constructor takes the kinds that most models consist of.
 * `add` takes the other kinds, so that a web page loads their code only if a model needs it.
 */
export class KindRegistry<T> {
  /** Validates descriptions of the kinds in this registry and, while `withKinds` of customKinds.ts runs, of custom kinds. */
  readonly schema: NestedSchema;
  private readonly subject: string;
  private readonly category: Category;
  private readonly kinds = new Map<string, Kind<T>>();
  /** The union of the schemas of `kinds`; undefined until it is needed, and again after a kind was added. */
  private union: NestedSchema | undefined;

  /**
   * Errors of `build` start with `subject`: with "a bijection", they read "a bijection is not valid at ...". `isBuilt` recognizes
   * parts that users may write in place of their descriptions; by default there are none.
   */
  constructor(
    kinds: readonly Kind<T>[],
    subject: string,
    category: Category,
    isBuilt?: (value: unknown) => boolean,
  ) {
    this.subject = subject;
    this.category = category;
    const union = () => {
      this.union ??= this.unionOfKinds();
      return this.union;
    };
    this.schema = partSchema(category, union, isBuilt);
    this.add(kinds);
  }

  /** Adds kinds. A kind replaces one of the same type. If the registry has all of them, its cached union stays. */
  add(kinds: readonly Kind<T>[]): void {
    if (kinds.every((kind) => this.kinds.get(this.typeOfKind(kind)) === kind)) return;
    for (const kind of kinds) this.kinds.set(this.typeOfKind(kind), kind);
    this.union = undefined;
  }

  has(type: string): boolean {
    return this.kinds.has(type);
  }

  /** The types of the kinds in this registry. */
  get types(): string[] {
    return [...this.kinds.keys()];
  }

  /** Validates a description and builds the part. Throws `MODEL` if the description is not valid. */
  build(description: Description, random: Random): T {
    return this.buildValid(parse(this.schema, description, this.subject, "MODEL"), random);
  }

  /**
   * Builds the part of a description that `schema` has validated. A custom kind cannot hide a built-in one, because
   * `withCustomKinds` refuses types that a registry has.
   */
  readonly buildValid = (description: Description, random: Random): T =>
    (customKind(this.category, description.type)?.build(description as never, random) as T | undefined) ??
    this.kinds.get(description.type)!.build(description, random, this.buildValid);

  private typeOfKind = (kind: Kind<T>): string => typeOf(this.schemaOf(kind));

  private schemaOf({ schema }: Kind<T>): ObjectSchema {
    return typeof schema === "function" ? schema(this.schema) : schema;
  }

  private unionOfKinds(): NestedSchema {
    // Errors list the types in alphabetical order.
    const [first, ...rest] = this.types.sort().map((type) => this.schemaOf(this.kinds.get(type)!));
    return z.discriminatedUnion("type", [first, ...rest]) as unknown as NestedSchema;
  }
}
