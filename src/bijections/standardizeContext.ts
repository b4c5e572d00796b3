import * as z from "zod/mini";
import type { NestedSchema } from "../description.ts";
import { PushforwardError } from "../errors.ts";
import type { Tensor } from "../graph/tensor.ts";
import { scoped } from "../graph/tracing/scope.ts";
import type {
  Bijection,
  BijectionKind,
  DataRows,
  Description,
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
 * A conditional map whose networks see (context - center) / scale instead of the context itself, both taken from the data
 * and then fixed: a context of thousands learns as well as one around 0.
 */
export class StandardizeContext implements Bijection {
  readonly bijection: Bijection;
  readonly scaler: Standardize;

  /** Without a `scaler` it is taken from data. Throws `ARGUMENT` if the map has no context. */
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
    return scoped("bijection", () => this.bijection.forward(z, this.scaled(context)));
  }

  inverse(x: Tensor, context?: Tensor): Transformed {
    return scoped("bijection", () => this.bijection.inverse(x, this.scaled(context)));
  }

  private scaled(context: Tensor | undefined): Tensor | undefined {
    return context && this.scaler.inverse(context).value;
  }

  get support(): Support | undefined {
    return this.bijection.support;
  }

  get parts(): readonly Part[] | undefined {
    const scaled = (part: Bijection) => (part.context > 0 ? new StandardizeContext(part, this.scaler) : part);
    return this.bijection.parts?.map(({ path, bijection }) => ({
      path: `bijection.${path}`,
      bijection: scaled(bijection),
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
    return bijection.velocity && ((t, y, context) => bijection.velocity!(t, y, this.scaled(context)));
  }

  describe(): Description {
    return { type: "standardizeContext", bijection: this.bijection.describe() };
  }
}

export const standardizeContextKind: BijectionKind<typeof standardizeContextSchema> = {
  schema: standardizeContextSchema,
  build: ({ bijection }, random, nested) => new StandardizeContext(nested(bijection, random)),
};
