import * as z from "zod/mini";
import { type Category, customKind } from "./customKinds.ts";
import { PushforwardError } from "./errors.ts";
import { parse } from "./parse.ts";
import type { Random } from "./random/index.ts";
import { largestSize } from "./sizeBudget.ts";

/** A part of a model as JSON data: its type, and the options of its constructor. */
export interface Description {
  readonly type: string;
  readonly [key: string]: unknown;
}

/** A size, such as a number of features or hidden units, at least 1. In a model file it is bounded by the size of the file. */
export const sizeSchema = boundedByFile(z.int().check(z.positive()));

/** A size that may be 0. */
export const countSchema = boundedByFile(z.int().check(z.nonnegative()));

function boundedByFile<S extends z.ZodMiniNumberFormat>(schema: S): S {
  return schema.check(
    z.refine((size) => size <= largestSize(), {
      error: () => `at most ${largestSize()}, for the size of the file`,
    }),
  );
}

/** A positive number that is, like its reciprocal, well inside of the range of float32. */
export const positiveSchema = z.number().check(z.positive(), z.minimum(1e-30), z.maximum(1e30));

/** A number well inside of the range of float32, so that sums and differences do not overflow. */
export const realSchema = z.number().check(z.minimum(-1e30), z.maximum(1e30));

/** The largest number of layers. Deeper networks cannot be trained, and a hostile description could declare any number. */
export const MAX_LAYERS = 1000;

type ObjectSchema = z.ZodMiniObject<{ type: z.ZodMiniLiteral<string> }>;

/** The type that descriptions of a schema have. */
export const typeOf = (schema: ObjectSchema): string => schema.shape.type.def.values[0];

/** The schema of one kind of part. For a part that contains others, it is a function of the schema of all kinds. */
export type KindSchema = ObjectSchema | ((nested: NestedSchema) => ObjectSchema);

/** The schema of a nested part, which may be of any kind. */
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
  /** Builds the part. `random` is the source of initial values; `nested` builds the parts inside of this one. */
  build(
    description: z.output<SchemaOf<S>>,
    random: Random,
    nested: (description: Description, random: Random) => T,
  ): T;
}

/** The union of the descriptions of a list of kinds. */
export type DescriptionOf<K> = K extends readonly Kind<infer _, infer S>[] ? z.output<SchemaOf<S>> : never;

/** Whether an error says that a description has a type that is neither of pushforward nor of a custom kind. */
export const isUnknownType = (error: unknown): error is PushforwardError =>
  error instanceof PushforwardError && /(^|\.)type$/.test(error.path ?? "");

/**
 * A schema that validates a description of a custom kind by the schema of that kind, accepts a value for which `isBuilt` is
 * true, and validates any other value by the schema that `registered` returns.
 */
export function registeredOrCustom<S extends z.ZodMiniType>(
  category: Category,
  registered: () => S,
  isBuilt: (value: unknown) => boolean = () => false,
): S {
  const anything = z.unknown();
  const schema = z.lazy(registered);
  // Like `z.lazy`, but the schema depends on the value. Parsing inside of a `transform` would create an error with a stack trace
  // for each invalid part, and a hostile file may have many.
  const choose: typeof schema._zod.run = (payload, context) => {
    const kind = customKind(category, (payload.value as { type?: unknown } | null | undefined)?.type);
    const chosen = isBuilt(payload.value) ? anything : kind ? (kind.schema ?? anything) : registered();
    return chosen._zod.run(payload, context) as ReturnType<typeof schema._zod.run>;
  };
  Object.assign(schema._zod, { parse: choose, run: choose });
  return schema as unknown as S;
}

/**
 * The kinds of bijections or of distributions. A registry has the kinds that most models consist of from the start; `add` adds
 * the others, so that a page loads their code only if a model needs it.
 */
export class KindRegistry<T> {
  /** Validates descriptions of all kinds, and inside of `withKinds` those of custom kinds too. */
  readonly schema: NestedSchema;
  private readonly subject: string;
  private readonly category: Category;
  private readonly kinds = new Map<string, Kind<T>>();
  private union: NestedSchema | undefined;

  /** `subject` is that of errors, such as "a bijection". The schema accepts values for which `isBuilt` is true. */
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
    this.schema = registeredOrCustom(category, union, isBuilt);
    this.add(kinds);
  }

  /** Adds the kinds that the registry does not have. */
  add(kinds: readonly Kind<T>[]): void {
    if (kinds.every((kind) => this.kinds.get(this.typeOfKind(kind)) === kind)) return;
    for (const kind of kinds) this.kinds.set(this.typeOfKind(kind), kind);
    this.union = undefined;
  }

  has(type: string): boolean {
    return this.kinds.has(type);
  }

  /** The types of all kinds. */
  get types(): string[] {
    return [...this.kinds.keys()];
  }

  /** Validates and builds a description. Throws `MODEL` if it is not valid. */
  build(description: Description, random: Random): T {
    return this.buildValid(parse(this.schema, description, this.subject, "MODEL"), random);
  }

  /** Builds a description that `schema` has validated. */
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
