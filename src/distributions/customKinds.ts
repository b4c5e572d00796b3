import type * as z from "zod/mini";
import type { Bijection } from "../bijections/bijection.ts";
import { bijectionTypes, buildBijection } from "../bijections/build.ts";
import { readScalarTransform, scalarTransformTypes } from "../bijections/scalar/build.ts";
import type { ScalarTransform } from "../bijections/scalar/scalarTransform.ts";
import { type Category, type RegisteredKind, withKinds } from "../customKinds.ts";
import type { Description } from "../description.ts";
import { PushforwardError } from "../errors.ts";
import { brief } from "../parse.ts";
import type { Random } from "../random/index.ts";
import { buildDistribution, distributionTypes } from "./build.ts";
import type { Distribution } from "./distribution.ts";

/** Builds parts from their descriptions. Each throws `MODEL` if the description does not fit. */
export interface Builders {
  bijection(description: Description, random: Random): Bijection;
  distribution(description: Description, random: Random): Distribution;
  scalarTransform(description: Description): ScalarTransform;
}

/** A description of a custom kind, as its schema leaves it: only that knows the types of the fields. */
export interface CustomDescription {
  readonly type: string;
  // biome-ignore lint/suspicious/noExplicitAny: each kind has fields of its own, and may state their types.
  readonly [field: string]: any;
}

interface CustomKindOf<T> {
  /** Checks a description, and fills in defaults; without one `build` gets the description as it is. */
  readonly schema?: z.core.$ZodType;
  /** The inverse of `describe()`, but for the numbers of parameters; `random` gives starting weights, `builders` parts. */
  build(description: CustomDescription, random: Random, builders: Builders): T;
}

/**
 * How a class of your own is built from what its `describe()` gives, so that flows with it can be saved and loaded: the `type` of
 * its description, by what it describes, and a function. Such as `{ bijection: "shear", build: () => new Shear() }`.
 */
export type CustomKind =
  | ({ readonly bijection: string } & CustomKindOf<Bijection>)
  | ({ readonly distribution: string } & CustomKindOf<Distribution>)
  | ({ readonly scalarTransform: string } & CustomKindOf<ScalarTransform>);

const BUILDERS: Builders = {
  bijection: buildBijection,
  distribution: buildDistribution,
  scalarTransform: readScalarTransform,
};

const REGISTERED: Readonly<Record<Category, ReadonlySet<string>>> = {
  bijection: bijectionTypes,
  distribution: distributionTypes,
  scalarTransform: scalarTransformTypes,
};

/**
 * Runs `build`, in which descriptions may be of custom kinds. Throws `ARGUMENT` for what is no kind, and for a type that is
 * given twice or that pushforward has.
 */
export function withCustomKinds<T>(kinds: readonly CustomKind[], build: () => T): T {
  const found: Record<Category, Map<string, RegisteredKind>> = {
    bijection: new Map(),
    distribution: new Map(),
    scalarTransform: new Map(),
  };
  for (const kind of kinds) {
    const [category, type] = categoryOf(kind);
    if (found[category].has(type) || REGISTERED[category].has(type)) {
      throw new PushforwardError(
        "ARGUMENT",
        `there are two kinds of ${category} of the type ${brief(type)}`,
        {
          hint: "Give each class a type of its own, which pushforward does not have.",
        },
      );
    }
    found[category].set(type, {
      schema: kind.schema,
      build: (description: CustomDescription, random) => kind.build(description, random, BUILDERS),
    });
  }
  return withKinds(found, build);
}

function categoryOf(kind: CustomKind): [Category, string] {
  const given = (kind ?? {}) as Partial<Record<Category, unknown>> & { build?: unknown };
  const categories = (Object.keys(REGISTERED) as Category[]).filter((key) => typeof given[key] === "string");
  const [category] = categories;
  if (categories.length === 1 && typeof given.build === "function")
    return [category, given[category] as string];
  throw new PushforwardError("ARGUMENT", "a custom kind does not fit", {
    expected:
      '{ bijection: "shear", build: (description, random) => ... }, or with distribution or scalarTransform',
    received: brief(kind),
  });
}
