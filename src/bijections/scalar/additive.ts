import { scalar } from "../../graph/tensor.ts";
import { blockColumns, type ScalarTransform } from "./scalarTransform.ts";

/** z = x + b, which keeps volumes (NICE, Dinh et al. 2015). */
export const additiveTransform: ScalarTransform = {
  parameters: 1,
  columns: (features) => blockColumns(features, 1),
  toLatent: (x, raw) => ({ value: x.add(raw), logDerivative: scalar(0) }),
  toData: (z, raw) => ({ value: z.sub(raw), logDerivative: scalar(0) }),
};
