import { z } from "zod";
import { customKind } from "../../customKinds.ts";
import { type Description, orCustom } from "../../description.ts";
import { PushforwardError } from "../../errors.ts";
import { parse } from "../../parse.ts";
import { Random } from "../../random/index.ts";
import type { ScalarTransformOptions } from "./options.ts";
import { scalarTransformKinds } from "./registry.ts";
import type { ScalarTransform, ScalarTransformKind } from "./scalarTransform.ts";

type Schema = (typeof scalarTransformKinds)[number]["schema"];

/** Options with their defaults, or a transform of one's own. */
export type CheckedScalarTransform = z.output<Schema> | ScalarTransform;

const registered = z.discriminatedUnion("type", [
  scalarTransformKinds[0].schema,
  ...scalarTransformKinds.slice(1).map(({ schema }) => schema),
]);

/** Options of a transform, or a transform. */
export const scalarTransformSchema = orCustom(
  "scalarTransform",
  registered,
  isTransform,
) as unknown as z.ZodType<CheckedScalarTransform, ScalarTransformOptions | ScalarTransform>;

const kinds: readonly ScalarTransformKind[] = scalarTransformKinds;
const kindOf = (type: string) => kinds.find(({ schema }) => schema.shape.type.value === type);

/** Whether pushforward has scalar transforms of this type. */
export const isScalarTransformType = (type: string): boolean => kindOf(type) !== undefined;

export function buildScalarTransform(options: CheckedScalarTransform): ScalarTransform {
  if (isTransform(options)) return options;
  const { type } = options;
  const custom = customKind("scalarTransform", type)?.build(options as never, new Random(0));
  return (custom as ScalarTransform | undefined) ?? kindOf(type)!.build(options);
}

/** Builds a scalar transform from its description. Throws `MODEL` if that does not fit. */
export const readScalarTransform = (description: Description): ScalarTransform =>
  buildScalarTransform(parse(scalarTransformSchema, description as never, "a scalar transform", "MODEL"));

/** The options of a bijection with the description of its transform. Throws `ARGUMENT` for a transform that has none. */
export function describeWithTransform<T extends { readonly transform: CheckedScalarTransform }>(options: T) {
  const { transform } = options;
  if (!isTransform(transform)) return options;
  const description = transform.describe?.();
  if (description) return { ...options, transform: description };
  throw new PushforwardError("ARGUMENT", `${transform.constructor.name} has no describe()`, {
    expected: 'its options with a type, such as { type: "cubic", bins: 8 }',
    received: "none",
    hint: "Add it to the class, to describe or save what applies the transform.",
  });
}

/** Whether a value is a transform, and not its options. */
function isTransform(value: unknown): value is ScalarTransform {
  const { toLatent, toData } = (value ?? {}) as Partial<ScalarTransform>;
  return typeof toLatent === "function" && typeof toData === "function";
}

/** Options of all scalar transforms. */
export const scalarTransformExamples = (): ScalarTransformOptions[] =>
  scalarTransformKinds.flatMap((kind): readonly ScalarTransformOptions[] => kind.examples());

/** Of these kinds one stands for each way in which features enter a network, and numbers come out of it. */
const STAND_INS: readonly string[] = ["additive", "affine", "circularSpline", "rationalQuadraticSpline"];

/**
 * Scalar transforms with a number of context features, 0 and 2, for the examples of bijections that condition them. Those
 * that are inverted by root finding, whose graphs take the runtime long to prepare, come with one of these numbers;
 * Gaussianization, the longest of all, is left to the elementwise bijection. What a transform does to one feature does not
 * depend on the number of others, so for more than two a few stand for all.
 */
export const conditionedExamples = (
  features: number,
): { transform: ScalarTransformOptions; context: number }[] =>
  scalarTransformKinds.flatMap((kind) => {
    const examples: readonly ScalarTransformOptions[] = kind.examples();
    const { type } = examples[0];
    if (type === "gaussianization") return [];
    const solved = kind.about.sampling === "root finding";
    const all = solved ? examples.slice(0, 1) : examples;
    const chosen = features <= 2 ? all : all.slice(0, STAND_INS.includes(type) ? 1 : 0);
    const contexts = !solved ? [0, 2] : features === 2 ? [2] : [0];
    return chosen.flatMap((transform) => contexts.map((context) => ({ transform, context })));
  });
