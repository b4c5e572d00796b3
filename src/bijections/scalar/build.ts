import type * as z from "zod/mini";
import { PushforwardError } from "../../check/index.ts";
import { type Description, KindRegistry } from "../../parts/index.ts";
import { Random } from "../../random/index.ts";
import { coreScalarTransformKinds } from "./coreKinds.ts";
import type { ScalarTransformOptions, scalarTransformKinds } from "./registry.ts";
import type { ScalarTransform } from "./scalarTransform.ts";

type Schema = (typeof scalarTransformKinds)[number]["schema"];

/** Checked options of a registered transform, or a transform object of the user. */
type CheckedScalarTransform = z.output<Schema> | ScalarTransform;

/**
 * The registry of scalar transforms. It starts with the kinds of coreKinds.ts; `registerAllScalarTransforms` adds the other kinds
 * of registry.ts.
 */
export const scalarTransformRegistry = new KindRegistry<ScalarTransform>(
  coreScalarTransformKinds,
  "a scalar transform",
  "scalarTransform",
  isTransform,
);

/** Validates the options of a transform, and accepts a transform object as it is. */
export const scalarTransformSchema = scalarTransformRegistry.schema as unknown as z.ZodMiniType<
  CheckedScalarTransform,
  ScalarTransformOptions | ScalarTransform
>;

/** Builds a transform from validated options. Transforms have no parameters of their own, so the seed has no influence. */
export const buildScalarTransform = (options: CheckedScalarTransform): ScalarTransform =>
  isTransform(options) ? options : scalarTransformRegistry.buildValid(options as Description, new Random(0));

/** Builds a scalar transform from its description. Throws `MODEL` if the description is not valid. */
export const readScalarTransform = (description: Description): ScalarTransform =>
  scalarTransformRegistry.build(description, new Random(0));

/** The options of a bijection, with the description of its transform. Throws `ARGUMENT` if a transform object has no `describe`. */
export function describeWithTransform<T extends { readonly transform: CheckedScalarTransform }>(options: T) {
  const { transform } = options;
  if (!isTransform(transform)) return options;
  const description = transform.describe?.();
  if (description) return { ...options, transform: description };
  const { name } = transform.constructor;
  const subject = name === "Object" ? "the scalar transform" : name;
  throw new PushforwardError("ARGUMENT", `${subject} has no describe()`, {
    expected: 'its options with a type, such as { type: "cubic", bins: 8 }',
    received: "none",
    hint: "Add describe() to it: descriptions and model files need it.",
  });
}

/** Whether a value is a transform object, not options. */
function isTransform(value: unknown): value is ScalarTransform {
  const { toLatent, toData } = (value ?? {}) as Partial<ScalarTransform>;
  return typeof toLatent === "function" && typeof toData === "function";
}
