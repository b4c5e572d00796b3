import { z } from "zod";
import { scalarTransformKinds } from "./registry.ts";
import type { ScalarTransform, ScalarTransformKind } from "./scalarTransform.ts";

type Schema = (typeof scalarTransformKinds)[number]["schema"];

/** Which map of one variable a coupling or autoregressive bijection applies. */
export type ScalarTransformOptions = z.input<Schema>;

export const scalarTransformSchema = z.discriminatedUnion("type", [
  scalarTransformKinds[0].schema,
  ...scalarTransformKinds.slice(1).map(({ schema }) => schema),
]) as z.ZodType<z.output<Schema>, ScalarTransformOptions>;

export function buildScalarTransform(options: z.output<Schema>): ScalarTransform {
  const kinds: readonly ScalarTransformKind[] = scalarTransformKinds;
  return kinds.find(({ schema }) => schema.shape.type.value === options.type)!.build(options);
}

/** Options of all scalar transforms, for the examples of the bijections that apply them. */
export const scalarTransformExamples = (): ScalarTransformOptions[] =>
  scalarTransformKinds.flatMap((kind): readonly ScalarTransformOptions[] => kind.examples());

/**
 * One example of each scalar transform with a number of context features, 0 and 2, for the examples of bijections that
 * condition them; those that are inverted by root finding, which take long to prepare, with one of these numbers.
 */
export const conditionedExamples = (
  features: number,
): { transform: ScalarTransformOptions; context: number }[] =>
  scalarTransformKinds.flatMap((kind) => {
    const [transform]: readonly ScalarTransformOptions[] = kind.examples();
    const contexts = kind.about.sampling !== "root finding" ? [0, 2] : features === 2 ? [2] : [0];
    return contexts.map((context) => ({ transform, context }));
  });
