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
