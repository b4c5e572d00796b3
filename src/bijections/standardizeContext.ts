import { z } from "zod";
import type { NestedSchema } from "../description.ts";
import { PushforwardError } from "../errors.ts";
import { scoped } from "../graph/scope.ts";
import type { Tensor } from "../graph/tensor.ts";
import type { Bijection, BijectionKind, DataRows, Description, Transformed } from "./bijection.ts";
import { Standardize } from "./standardize.ts";

const standardizeContextSchema = (bijection: NestedSchema) =>
  z.strictObject({ type: z.literal("standardizeContext"), bijection });

/**
 * A conditional map whose networks see (context - center) / scale instead of the context itself, both taken from the data
 * and then fixed: a context of thousands learns as well as one around 0.
 */
export class StandardizeContext implements Bijection {
  readonly bijection: Bijection;
  readonly scaler: Standardize;

  /** Throws `ARGUMENT` if the map has no context. */
  constructor(bijection: Bijection) {
    if (bijection.context === 0) {
      throw new PushforwardError("ARGUMENT", "only a conditional bijection has a context to standardize");
    }
    this.bijection = bijection;
    this.scaler = new Standardize({ features: bijection.context });
  }

  get features(): number {
    return this.bijection.features;
  }

  get context(): number {
    return this.bijection.context;
  }

  forward(z: Tensor, context?: Tensor): Transformed {
    return scoped("bijection", () => this.bijection.forward(z, this.scaled(context)));
  }

  inverse(x: Tensor, context?: Tensor): Transformed {
    return scoped("bijection", () => this.bijection.inverse(x, this.scaled(context)));
  }

  private scaled(context: Tensor | undefined): Tensor | undefined {
    return context && this.scaler.inverse(context).value;
  }

  fitToData({ rows, context, weights }: DataRows): void {
    if (context) this.scaler.fitToData({ rows, features: this.context, values: context, weights });
  }

  describe(): Description {
    return { type: "standardizeContext", bijection: this.bijection.describe() };
  }
}

export const standardizeContextKind: BijectionKind<typeof standardizeContextSchema> = {
  schema: standardizeContextSchema,
  about: { name: "standardization of the context", formula: "f(z, (c - center) / scale)" },
  build: ({ bijection }, random, nested) => new StandardizeContext(nested(bijection, random)),
  examples: (features) => [
    {
      type: "standardizeContext",
      bijection: {
        type: "autoregressive",
        order: Array.from({ length: features }, (_, i) => i),
        context: 2,
        transform: { type: "affine" },
        network: { hidden: [6] },
      },
    },
  ],
};
