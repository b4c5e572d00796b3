import { z } from "zod";
import { scalar } from "../../graph/tensor.ts";
import { blockColumns, type ScalarTransform, type ScalarTransformKind } from "./scalarTransform.ts";

const additiveSchema = z.strictObject({ type: z.literal("additive") });

/** z = x + b, which keeps volumes (NICE, Dinh et al. 2015). */
export const additiveTransform: ScalarTransform = {
  parameters: 1,
  columns: (features) => blockColumns(features, 1),
  toLatent: (x, raw) => ({ value: x.add(raw), logDerivative: scalar(0) }),
  toData: (z, raw) => ({ value: z.sub(raw), logDerivative: scalar(0) }),
};

export const additiveKind: ScalarTransformKind<typeof additiveSchema> = {
  schema: additiveSchema,
  about: {
    name: "additive transform",
    formula: "z = x + b",
    paper: "Dinh et al. 2015",
    density: "closed form",
    sampling: "closed form",
  },
  build: () => additiveTransform,
  examples: () => [{ type: "additive" }],
};
