import * as z from "zod/mini";
import { customKind } from "../../customKinds.ts";
import { type Description, registeredOrCustom, typeOf } from "../../description.ts";
import { PushforwardError } from "../../errors.ts";
import { parse } from "../../parse.ts";
import { Random } from "../../random/index.ts";
import { type ScalarTransformOptions, scalarTransformKinds } from "./registry.ts";
import type { ScalarTransform, ScalarTransformKind } from "./scalarTransform.ts";

type Schema = (typeof scalarTransformKinds)[number]["schema"];

/** Checked options of a registered transform, or a transform object of the user. */
export type CheckedScalarTransform = z.output<Schema> | ScalarTransform;

const registered = z.discriminatedUnion("type", [
  scalarTransformKinds[0].schema,
  ...scalarTransformKinds.slice(1).map(({ schema }) => schema),
]);

/** Checks the options of a transform; a transform object passes as it is. */
export const scalarTransformSchema = registeredOrCustom(
  "scalarTransform",
  registered,
  isTransform,
) as unknown as z.ZodMiniType<CheckedScalarTransform, ScalarTransformOptions | ScalarTransform>;

const kinds: readonly ScalarTransformKind[] = scalarTransformKinds;
const kindOf = (type: string) => kinds.find(({ schema }) => typeOf(schema) === type);

/** The types of all registered scalar transforms. */
export const scalarTransformTypes: ReadonlySet<string> = new Set(kinds.map(({ schema }) => typeOf(schema)));

export function buildScalarTransform(options: CheckedScalarTransform): ScalarTransform {
  if (isTransform(options)) return options;
  const { type } = options;
  const custom = customKind("scalarTransform", type)?.build(options as never, new Random(0));
  return (custom as ScalarTransform | undefined) ?? kindOf(type)!.build(options);
}

/** Builds a scalar transform from its description. Throws `MODEL` if the description is not valid. */
export const readScalarTransform = (description: Description): ScalarTransform =>
  buildScalarTransform(parse(scalarTransformSchema, description as never, "a scalar transform", "MODEL"));

/** The options of a bijection, with the description of its transform. Throws `ARGUMENT` if a transform object has no `describe`. */
export function describeWithTransform<T extends { readonly transform: CheckedScalarTransform }>(options: T) {
  const { transform } = options;
  if (!isTransform(transform)) return options;
  const description = transform.describe?.();
  if (description) return { ...options, transform: description };
  throw new PushforwardError("ARGUMENT", `${transform.constructor.name} has no describe()`, {
    expected: 'its options with a type, such as { type: "cubic", bins: 8 }',
    received: "none",
    hint: "Add describe() to the class: descriptions and model files need it.",
  });
}

/** Whether a value is a transform object, not options. */
function isTransform(value: unknown): value is ScalarTransform {
  const { toLatent, toData } = (value ?? {}) as Partial<ScalarTransform>;
  return typeof toLatent === "function" && typeof toData === "function";
}
