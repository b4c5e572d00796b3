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

/** Of these kinds one stands for each way in which features enter a network, and numbers come out of it. */
const STAND_INS: readonly string[] = ["additive", "affine", "circularSpline", "rationalQuadraticSpline"];

/**
 * Options of all scalar transforms, for the examples of the bijections that apply them to `features` features. What they do
 * to one does not depend on the number of others, so for more than two a few stand for all.
 */
export const scalarTransformExamples = (features: number): ScalarTransformOptions[] =>
  scalarTransformKinds.flatMap((kind): readonly ScalarTransformOptions[] => {
    const examples = kind.examples();
    if (features <= 2) return examples;
    return examples.filter(({ type }, i) => i === 0 && STAND_INS.includes(type));
  });
