import * as z from "zod/mini";
import { scoped, type Tensor } from "../graph/index.ts";
import type { Description, NestedSchema } from "../parts/index.ts";
import type { Bijection, BijectionKind, FitToRows, Transformed } from "./bijection.ts";
import type { OuterStandardization } from "./outerStandardization.ts";
import type { Part } from "./parts.ts";
import type { Support } from "./support.ts";

const invertSchema = (bijection: NestedSchema) => z.strictObject({ type: z.literal("invert"), bijection });

/** The inverse of a bijection f: x = f^-1(z), so `forward` and `inverse` are exchanged. An inverted MAF is an IAF. */
export class Invert implements Bijection {
  readonly bijection: Bijection;

  constructor(bijection: Bijection) {
    this.bijection = bijection;
  }

  get features(): number {
    return this.bijection.features;
  }

  get context(): number {
    return this.bijection.context;
  }

  forward(z: Tensor, context?: Tensor): Transformed {
    return scoped("bijection", () => this.bijection.inverse(z, context));
  }

  inverse(x: Tensor, context?: Tensor): Transformed {
    return scoped("bijection", () => this.bijection.forward(x, context));
  }

  get support(): Support | undefined {
    return this.bijection.domain;
  }

  get domain(): Support | undefined {
    return this.bijection.support;
  }

  get actsOnLastAxis(): boolean {
    return this.bijection.actsOnLastAxis ?? false;
  }

  get isIdentity(): boolean {
    return this.bijection.isIdentity ?? false;
  }

  get parts(): readonly Part[] | undefined {
    return this.bijection.parts
      ?.map(({ path, bijection }) => ({ path: `bijection.${path}`, bijection: new Invert(bijection) }))
      .reverse();
  }

  get fitToData(): FitToRows | undefined {
    const { bijection } = this;
    return bijection.fitToLatent && ((rows) => bijection.fitToLatent!(rows));
  }

  get fitToLatent(): FitToRows | undefined {
    const { bijection } = this;
    return bijection.fitToData && ((rows) => bijection.fitToData!(rows));
  }

  get contextStandardization(): OuterStandardization<Bijection> | undefined {
    const inner = this.bijection.contextStandardization;
    return (
      inner && {
        standardize: inner.standardize,
        relativeTo: (outer) => new Invert(inner.relativeTo(outer)),
      }
    );
  }

  describe(): Description {
    return { type: "invert", bijection: this.bijection.describe() };
  }
}

export const invertKind: BijectionKind<typeof invertSchema> = {
  schema: invertSchema,
  build: ({ bijection }, random, nested) => new Invert(nested(bijection, random)),
};
