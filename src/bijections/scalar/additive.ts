import * as z from "zod/mini";
import { scalar } from "../../graph/index.ts";
import { blockColumns, type ScalarTransform, type ScalarTransformKind } from "./scalarTransform.ts";

const additiveSchema = z.strictObject({ type: z.literal("additive") });

/** z = x + b (Dinh et al. 2015). */
export interface AdditiveOptions {
  type: "additive";
}

/** z = x + b, which preserves volume (NICE, Dinh et al. 2015). */
const additiveTransform: ScalarTransform = {
  parameters: 1,
  columns: (features) => blockColumns(features, 1),
  toLatent: (x, raw) => ({ value: x.add(raw), logDerivative: scalar(0) }),
  toData: (z, raw) => ({ value: z.sub(raw), logDerivative: scalar(0) }),
};

export const additiveKind: ScalarTransformKind<typeof additiveSchema> = {
  schema: additiveSchema,
  build: () => additiveTransform,
};
