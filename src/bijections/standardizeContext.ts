import * as z from "zod/mini";
import { PushforwardError } from "../check/index.ts";
import { scoped, type Tensor } from "../graph/index.ts";
import type { Description, NestedSchema } from "../parts/index.ts";
import type {
  Bijection,
  BijectionKind,
  DataRows,
  FitToRows,
  Transformed,
  VelocityField,
} from "./bijection.ts";
import type { OuterStandardization } from "./outerStandardization.ts";
import type { Part } from "./parts.ts";
import { Standardize } from "./standardize.ts";
import type { Support } from "./support.ts";

const standardizeContextSchema = (bijection: NestedSchema) =>
  z.strictObject({ type: z.literal("standardizeContext"), bijection });

/**
 * A conditional bijection whose context is standardized: its networks see (context - center) / scale, with center and scale
 * fitted to the training rows and then fixed. Networks learn badly from inputs that are not of about unit scale.
 */
export class StandardizeContext implements Bijection {
  readonly bijection: Bijection;
  readonly scaler: Standardize;

  /** `scaler` standardizes the context; by default it is fitted to data. Throws `ARGUMENT` if the bijection has no context. */
  constructor(bijection: Bijection, scaler = new Standardize({ features: bijection.context })) {
    if (bijection.context === 0) {
      throw new PushforwardError("ARGUMENT", "only a conditional bijection has a context to standardize");
    }
    this.bijection = bijection;
    this.scaler = scaler;
  }

  get features(): number {
    return this.bijection.features;
  }

  get context(): number {
    return this.bijection.context;
  }

  forward(z: Tensor, context?: Tensor): Transformed {
    return scoped("bijection", () => this.bijection.forward(z, this.standardized(context)));
  }

  inverse(x: Tensor, context?: Tensor): Transformed {
    return scoped("bijection", () => this.bijection.inverse(x, this.standardized(context)));
  }

  private standardized(context: Tensor | undefined): Tensor | undefined {
    return context && this.scaler.inverse(context).value;
  }

  get support(): Support | undefined {
    return this.bijection.support;
  }

  get domain(): Support | undefined {
    return this.bijection.domain;
  }

  get levels(): readonly number[] | undefined {
    return this.bijection.levels;
  }

  get parts(): readonly Part[] | undefined {
    return this.bijection.parts?.map(({ path, bijection }) => ({
      path: `bijection.${path}`,
      bijection: bijection.context > 0 ? new StandardizeContext(bijection, this.scaler) : bijection,
    }));
  }

  fitToData(rows: DataRows): void | Promise<void> {
    return this.fit(rows, this.bijection.fitToData);
  }

  fitToLatent(rows: DataRows): void | Promise<void> {
    return this.fit(rows, this.bijection.fitToLatent);
  }

  private fit({ context, ...rows }: DataRows, inner: FitToRows | undefined): void | Promise<void> {
    if (!context) return;
    const { scaler, bijection } = this;
    scaler.fitToData({ ...rows, features: this.context, values: context });
    return inner?.call(bijection, { ...rows, context: scaler.toLatent(context) });
  }

  get dataStandardization(): OuterStandardization<Bijection> | undefined {
    const inner = this.bijection.dataStandardization;
    return (
      inner && {
        standardize: inner.standardize,
        relativeTo: (outer) => new StandardizeContext(inner.relativeTo(outer), this.scaler),
      }
    );
  }

  get contextStandardization(): OuterStandardization<Bijection> {
    const { bijection, scaler } = this;
    return {
      standardize: scaler,
      relativeTo(outer) {
        const relative: Bijection = scaler.relativeTo(outer);
        return relative.isIdentity ? bijection : new StandardizeContext(bijection, relative as Standardize);
      },
    };
  }

  get velocity(): VelocityField | undefined {
    const { bijection } = this;
    return bijection.velocity && ((t, y, context) => bijection.velocity!(t, y, this.standardized(context)));
  }

  describe(): Description {
    return { type: "standardizeContext", bijection: this.bijection.describe() };
  }
}

export const standardizeContextKind: BijectionKind<typeof standardizeContextSchema> = {
  schema: standardizeContextSchema,
  build: ({ bijection }, random, nested) => new StandardizeContext(nested(bijection, random)),
};
