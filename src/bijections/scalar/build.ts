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
