import * as z from "zod/mini";
import {
  type Bijection,
  bijectionRegistry,
  relativeToData as bijectionRelativeToData,
  bijectionSchema,
  commonContextStandardization,
  contextFor,
  type DataRows,
  formatSupport,
  latentRows,
  mappedSupport,
  type OuterStandardization,
  relativeToContext,
  Standardize,
  type Support,
} from "../bijections/index.ts";
import { PushforwardError } from "../check/index.ts";
import { scoped, type Tensor } from "../graph/index.ts";
import { checkParametersReachable } from "../nn/index.ts";
import type { NestedSchema } from "../parts/index.ts";
import { checkResultShape } from "./checkResultShape.ts";
import { ContextEmbedding, contextEmbeddingSchema } from "./contextEmbedding.ts";
import type { Atoms, Distribution, DistributionKind, FitDistribution, Noise } from "./distribution.ts";

const transformedDistributionSchema = (distribution: NestedSchema) =>
  z.strictObject({
    type: z.literal("transformedDistribution"),
    base: distribution,
    bijection: bijectionSchema,
    /** Embedding of the context for the base and the bijection; default: none. */
    embedding: z.optional(contextEmbeddingSchema),
  });

/** Samples and their log-densities. */
export interface Samples<T, L = T> {
  /** [N, D] */
  readonly samples: T;
  /** [N], in nats. */
  readonly logProb: L;
}

/**
 * The distribution of x = f(z) with z from a base distribution: log p(x) = log p_base(f^-1(x)) + log |det df^-1/dx|. A `Flow`
 * is a subclass with methods that compute numbers.
 */
export class TransformedDistribution implements Distribution {
  readonly base: Distribution;
  readonly bijection: Bijection;
  readonly embedding: ContextEmbedding | undefined;
  readonly features: number;
  readonly context: number;
  readonly noise: readonly Noise[];

  /** Throws `SHAPE` if the base, the bijection and the embedding differ in features or context. */
  constructor(base: Distribution, bijection: Bijection, embedding?: ContextEmbedding) {
    if (base.features !== bijection.features) {
      throw new PushforwardError(
        "SHAPE",
        "the base distribution and the bijection have different numbers of features",
        {
          expected: `${bijection.features} features`,
          received: `${base.features}`,
        },
      );
    }
    if (base.context > 0 && bijection.context > 0 && base.context !== bijection.context) {
      throw new PushforwardError("SHAPE", "the base distribution and the bijection have different contexts", {
        expected: `${bijection.context} context features or none`,
        received: `${base.context}`,
      });
    }
    const context = Math.max(base.context, bijection.context);
    if (embedding && embedding.size !== context) {
      throw new PushforwardError(
        "SHAPE",
        "the flow and the embedding of the context have different numbers of features",
        {
          expected: `${embedding.size} context features`,
          received: `${context}`,
          hint: `Build the flow with \`context: ${embedding.size}\`, the size of the embedding.`,
        },
      );
    }
    this.base = base;
    this.bijection = bijection;
    this.embedding = embedding;
    this.features = base.features;
    this.context = embedding?.context ?? context;
    this.noise = base.noise;
  }

  get acceptsMissing(): boolean {
    return this.bijection.isIdentity === true && this.base.acceptsMissing === true;
  }

  get weightedBound(): Distribution["weightedBound"] {
    const { base, bijection } = this;
    if (!base.weightedBound) return undefined;
    return (x, divergenceWeight, context) => {
      const embedded = this.embed(context);
      const { value: z, logDet } = scoped("bijection", () =>
        bijection.inverse(x, contextFor(bijection, embedded)),
      );
      const ofBase = contextFor(base, embedded);
      return this.addLogDet(
        scoped("base", () => base.weightedBound!(z, divergenceWeight, ofBase)),
        logDet,
      );
    };
  }

  get isBound(): boolean {
    return this.base.isBound === true;
  }

  get withDraws(): Distribution["withDraws"] {
    const { base, bijection, embedding } = this;
    return (
      base.withDraws &&
      ((samples) => new TransformedDistribution(base.withDraws!(samples), bijection, embedding))
    );
  }

  /**
   * A bijection other than the identity moves single atoms, so none is declared. In a discrete feature, such as a constant one,
   * the images of all values have probabilities too.
   */
  get atoms(): readonly Atoms[] | undefined {
    const { atoms } = this.base;
    return this.bijection.isIdentity ? atoms : atoms?.map((each) => (each === "all" ? each : []));
  }

  /** log p(x | context) of each row in nats: [N, D], [N, C] -> [N]. The shapes are not checked here, but by `Flow.logProb`. */
  logProb(x: Tensor, context?: Tensor): Tensor {
    return this.density(x, context).logProb;
  }

  sample(noise: readonly Tensor[], context?: Tensor): Tensor {
    return this.sampleAndLogProb(noise, context).samples;
  }

  /**
   * The log-densities [N] of rows x [N, D], and their latent values z = f^-1(x) [N, D]. The shapes of x and the context are not checked
   * here. Throws `ARGUMENT` if the distribution reads a parameter that is in none of its properties; `SHAPE` for results of the base and
   * the bijection of a wrong shape.
   */
  density(x: Tensor, context?: Tensor): { logProb: Tensor; z: Tensor } {
    const { bijection } = this;
    const embedded = this.embed(context);
    const { value: z, logDet } = scoped("bijection", () =>
      bijection.inverse(x, contextFor(bijection, embedded)),
    );
    this.checkTransformed("inverse", x, z, logDet);
    const logProb = this.addLogDet(this.baseLogProb(z, embedded), logDet);
    checkParametersReachable(this, [logProb, z], [x, context]);
    return { logProb, z };
  }

  /**
   * Samples [N, D] and their log-densities [N], log p(f(z)) = log p_base(z) - log |det df/dz|, which cost little more than the samples. The
   * shapes of the noise and the context are not checked here. Throws the errors of `density`.
   */
  sampleAndLogProb(noise: readonly Tensor[], context?: Tensor): Samples<Tensor> {
    const { base, bijection } = this;
    const embedded = this.embed(context);
    const z = scoped("base", () => base.sample(noise, contextFor(base, embedded)));
    const rows = [...noise, z][0].shape[0];
    checkResultShape(base, "sample", z, [rows, this.features]);
    const { value, logDet } = scoped("bijection", () =>
      bijection.forward(z, contextFor(bijection, embedded)),
    );
    this.checkTransformed("forward", z, value, logDet);
    const logProb = this.baseLogProb(z, embedded).sub(logDet);
    checkParametersReachable(this, [value, logProb], [...noise, context]);
    return { samples: value, logProb };
  }

  private baseLogProb(z: Tensor, embedded: Tensor | undefined): Tensor {
    const { base } = this;
    const logProb = scoped("base", () => base.logProb(z, contextFor(base, embedded)));
    checkResultShape(base, "logProb", logProb, [z.shape[0]]);
    return logProb;
  }

  /** log p_base(z) + log |det dz/dx|. Outside of the support, where one of them is -Infinity, the other one has a gradient. */
  private addLogDet(baseLogProb: Tensor, logDet: Tensor): Tensor {
    const logProb = baseLogProb.add(logDet);
    if (this.bijection.isIdentity || !this.support) return logProb;
    return logProb.equal(Number.NEGATIVE_INFINITY).where(Number.NEGATIVE_INFINITY, logProb);
  }

  private checkTransformed(method: "forward" | "inverse", rows: Tensor, value: Tensor, logDet: Tensor): void {
    checkResultShape(this.bijection, `value of ${method}`, value, rows.shape);
    // The log-determinant of a map that is the same for all rows may be a scalar.
    if (logDet.rank > 0) checkResultShape(this.bijection, `logDet of ${method}`, logDet, [rows.shape[0]]);
  }

  /** The embedding of the context for the base and the bijection, [N, C] -> [N, E]; the context itself without an embedding. */
  embed(context: Tensor | undefined): Tensor | undefined {
    const { embedding } = this;
    return context && embedding ? scoped("embedding", () => embedding.apply(context)) : context;
  }

  /** The values of the base. A bijection other than the identity moves them to other numbers. */
  get values(): Distribution["values"] {
    return this.bijection.isIdentity ? this.base.values : undefined;
  }

  get support(): Support | undefined {
    const { base, bijection } = this;
    if (!base.support) return bijection.support;
    if (bijection.isIdentity) return base.support;
    // The support of a map is the image of its whole domain.
    const isWhole = bijection.domain && formatSupport(bijection.domain) === formatSupport(base.support);
    return isWhole ? bijection.support : mappedSupport(base.support);
  }

  get fitToData(): FitDistribution | undefined {
    const { base, bijection, embedding } = this;
    if (!embedding && !bijection.fitToData && !base.fitToData) return undefined;
    return async (rows, heldOut, limits) => {
      embedding?.fitToData(rows);
      const embedRows = async (rows: DataRows) => (embedding ? embedding.embedRows(rows) : rows);
      const embedded = await embedRows(rows);
      const embeddedHeldOut = heldOut && (await embedRows(heldOut));
      await bijection.fitToData?.(embedded);
      if (!base.fitToData) return;
      const latent = await latentRows(bijection, embedded);
      const latentHeldOut = embeddedHeldOut && (await latentRows(bijection, embeddedHeldOut));
      await base.fitToData(latent, latentHeldOut, limits);
    };
  }

  get dataStandardization(): OuterStandardization<TransformedDistribution> | undefined {
    const { base, bijection } = this;
    const inner = bijection.isIdentity ? base.dataStandardization : bijection.dataStandardization;
    return inner && { standardize: inner.standardize, relativeTo: (outer) => this.relativeTo(outer) };
  }

  /**
   * The distribution of u = (x - center) / scale, where this is the distribution of x, and `outer` has the center and the scale.
   * Each standardization next to the data is replaced by its composition with the inverse of `outer`, which is computed in
   * float64. All other parts are shared.
   */
  relativeTo(outer: Standardize): TransformedDistribution {
    const { base, bijection, embedding } = this;
    return bijection.isIdentity
      ? new TransformedDistribution(relativeToData(base, outer), bijection, embedding)
      : new TransformedDistribution(base, bijectionRelativeToData(bijection, outer), embedding);
  }

  get contextStandardization(): OuterStandardization<TransformedDistribution> | undefined {
    const { base, bijection, embedding } = this;
    if (embedding) {
      const inner = embedding.contextStandardization;
      const relativeTo = (outer: Standardize) =>
        new TransformedDistribution(base, bijection, inner!.relativeTo(outer));
      return inner && { standardize: inner.standardize, relativeTo };
    }
    const standardize = commonContextStandardization([base, bijection]);
    const relativeTo = (outer: Standardize) =>
      new TransformedDistribution(relativeToContext(base, outer), relativeToContext(bijection, outer));
    return standardize && { standardize, relativeTo };
  }

  describe() {
    return {
      type: "transformedDistribution" as const,
      base: this.base.describe(),
      bijection: this.bijection.describe(),
      ...(this.embedding && { embedding: this.embedding.describe() }),
    };
  }
}

/** The distribution of u = (x - center) / scale, where `distribution` is the distribution of x. */
export function relativeToData(distribution: Distribution, outer: Standardize): Distribution {
  if (distribution instanceof TransformedDistribution) return distribution.relativeTo(outer);
  const inverseOfOuter = new Standardize({ features: outer.features }).relativeTo(outer);
  return (
    distribution.dataStandardization?.relativeTo(outer) ??
    new TransformedDistribution(distribution, inverseOfOuter)
  );
}

export const transformedDistributionKind: DistributionKind<typeof transformedDistributionSchema> = {
  schema: transformedDistributionSchema,
  build: ({ base, bijection, embedding }, random, nested) =>
    new TransformedDistribution(
      nested(base, random.split("base")),
      bijectionRegistry.build(bijection, random.split("bijection")),
      embedding && new ContextEmbedding(embedding, random.split("embedding")),
    ),
};
