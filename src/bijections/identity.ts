import * as z from "zod/mini";
import { parse } from "../check/index.ts";
import { scalar, type Tensor } from "../graph/index.ts";
import { type Description, sizeSchema } from "../parts/index.ts";
import type { Bijection, BijectionKind, Transformed } from "./bijection.ts";

const identitySchema = z.strictObject({ type: z.literal("identity"), features: sizeSchema });

/** The identity map, x = z. A flow with it is its base distribution. */
export class Identity implements Bijection {
  readonly features: number;
  readonly context = 0;
  readonly actsOnLastAxis = true;
  readonly isIdentity = true;

  /** `features` is D. Throws `ARGUMENT` if it is not a positive integer. */
  constructor(options: { features: number }) {
    this.features = parse(identitySchema, { type: "identity", ...options }, "an identity").features;
  }

  forward(z: Tensor): Transformed {
    return { value: z, logDet: scalar(0) };
  }

  inverse(x: Tensor): Transformed {
    return { value: x, logDet: scalar(0) };
  }

  describe(): Description {
    return { type: "identity", features: this.features };
  }
}

export const identityKind: BijectionKind<typeof identitySchema> = {
  schema: identitySchema,
  build: (description) => new Identity(description),
};
