import * as z from "zod/mini";
import { contextFor, type Support } from "../bijections/index.ts";
import { PushforwardError, parse } from "../check/index.ts";
import { drawForRows, isTracingLoss, scoped, type Tensor } from "../graph/index.ts";
import type { NestedSchema } from "../parts/index.ts";
import { Random } from "../random/index.ts";
import { logMeanExpOf } from "./chooseComponent.ts";
import type { Atoms, Distribution, DistributionKind, FitDistribution, Noise } from "./distribution.ts";
import { uniformDraws } from "./rowDraws.ts";
import { type Samples, TransformedDistribution } from "./transformedDistribution.ts";

const settingsFields = {
  /** At most 256, because the graph contains the posterior and the decoder once for each draw. */
  samples: z._default(z.int().check(z.minimum(1), z.maximum(256)), 1),
  seed: z._default(z.int().check(z.nonnegative()), 0),
};

const settingsSchema = z.strictObject(settingsFields);

const variationalAutoencoderSchema = (distribution: NestedSchema) =>
  z.strictObject({
    type: z.literal("variationalAutoencoder"),
    prior: distribution,
    decoder: distribution,
    posterior: distribution,
    ...settingsFields,
  });

/** Options of `VariationalAutoencoder`. */
export interface VariationalAutoencoderOptions {
  /** p(z), an unconditional distribution of L latent features, such as `StandardNormal` or a flow. */
  prior: Distribution;
  /** p(x | z), a distribution of D features whose context is z: `Bernoulli`, `DiagonalNormal`, `DiscretizedLogistic`, or any other. */
  decoder: Distribution;
  /**
   * q(z | x), a distribution of L features whose context is x. Its network, such as that of a `ContextEmbedding`, is the encoder. Maps
   * such as `Planar`, with the same context, make it a flow, whose parameters the encoder emits for each row.
   */
  posterior: Distribution;
  /** K, the number of draws of z in an evaluation. Default 1. */
  samples?: number | undefined;
  /** Seed of the draws of evaluations. Default 0. */
  seed?: number | undefined;
}

/** The terms of the evidence lower bound of each row in nats, from one draw of z. */
export interface BoundTerms {
  /** `[N]`: log p(x | z). */
  readonly logLikelihood: Tensor;
  /** `[N]`: log q(z | x) - log p(z), whose expectation is KL(q(z | x) || p(z)). */
  readonly divergence: Tensor;
}

/** The encoder sees values clipped to ± this number, so that its activations do not overflow. */
const MAX_ENCODED = 1e6;

/**
 * A latent-variable model p(x) = integral of p(x | z) p(z) dz with an approximate posterior q(z | x), which Kingma and Welling (2014)
 * call a variational autoencoder. `logProb` is an importance-sampled estimate of log p(x) in nats. Its expectation is a lower bound,
 * which increases with the number of draws (Burda et al. 2016): for K = 1 it is the evidence lower bound.
 *
 *     log 1/K sum_k p(x | z_k) p(z_k) / q(z_k | x),  z_k from q(z | x).
 *
 * The loss of a training step draws one z for each row. An evaluation uses K draws that follow from the seed and the row, so that its
 * result is a function of the row. `sample` draws z from the prior and x from the decoder.
 */
export class VariationalAutoencoder implements Distribution {
  readonly prior: Distribution;
  readonly decoder: Distribution;
  readonly posterior: Distribution;
  readonly context = 0;
  readonly isBound = true;
  private readonly settings: z.output<typeof settingsSchema>;

  /** Throws `ARGUMENT` if the options are not valid, `SHAPE` if the sizes of the parts do not match. */
  constructor({ prior, decoder, posterior, ...settings }: VariationalAutoencoderOptions) {
    this.settings = parse(settingsSchema, settings, "a variational autoencoder");
    this.prior = prior;
    this.decoder = decoder;
    this.posterior = posterior;
    const [D, L] = [decoder.features, prior.features];
    checkSizes("the prior", prior, L, 0);
    checkSizes("the decoder", decoder, D, L);
    checkSizes("the posterior", posterior, L, D);
  }

  get features(): number {
    return this.decoder.features;
  }

  /** L, the number of latent features. */
  get latentFeatures(): number {
    return this.prior.features;
  }

  get noise(): readonly Noise[] {
    return [...this.prior.noise, ...this.decoder.noise];
  }

  get atoms(): readonly Atoms[] | undefined {
    return this.decoder.atoms;
  }

  get values(): Distribution["values"] {
    return this.decoder.values;
  }

  get support(): Support | undefined {
    return this.decoder.support;
  }

  withDraws(samples: number): VariationalAutoencoder {
    const { prior, decoder, posterior, settings } = this;
    return new VariationalAutoencoder({ prior, decoder, posterior, ...settings, samples });
  }

  logProb(x: Tensor): Tensor {
    const logWeights = this.draws(x).map((noise) => {
      const { logLikelihood, divergence } = this.boundTerms(x, noise);
      return logLikelihood.sub(divergence);
    });
    const estimate = logMeanExpOf(logWeights);
    // This gives a row outside of the support the gradient 0 instead of the gradient of the divergence.
    return estimate.equal(Number.NEGATIVE_INFINITY).where(Number.NEGATIVE_INFINITY, estimate);
  }

  /** The evidence lower bound with the divergence times a weight (a scalar): for KL warm-up. Call it only within `traceLoss`. */
  weightedBound(x: Tensor, divergenceWeight: Tensor): Tensor {
    const { logLikelihood, divergence } = this.boundTerms(x, this.draws(x)[0]);
    return logLikelihood.sub(divergence.mul(divergenceWeight));
  }

  /** The terms of the bound for the noise of one draw, which has the sizes of `posterior.noise`. */
  boundTerms(x: Tensor, noise: readonly Tensor[]): BoundTerms {
    const { samples: z, logProb: logPosterior } = this.encode(x, noise);
    const logPrior = scoped("prior", () => this.prior.logProb(z));
    const logLikelihood = scoped("decoder", () => this.decoder.logProb(x, contextFor(this.decoder, z)));
    return { logLikelihood, divergence: logPosterior.sub(logPrior) };
  }

  /** Draws z from q(z | x), [N, L], and evaluates log q(z | x). */
  encode(x: Tensor, noise: readonly Tensor[]): Samples<Tensor> {
    const { posterior } = this;
    const context = contextFor(posterior, x.clip(-MAX_ENCODED, MAX_ENCODED));
    return scoped("posterior", () => {
      if (posterior instanceof TransformedDistribution) return posterior.sampleAndLogProb(noise, context);
      const samples = posterior.sample(noise, context);
      return { samples, logProb: posterior.logProb(samples, context) };
    });
  }

  /** The noise of the posterior in each draw: new numbers in the loss of a training step, and a function of the row in an evaluation. */
  private draws(x: Tensor): Tensor[][] {
    const { posterior, decoder, settings } = this;
    if (isTracingLoss()) return [posterior.noise.map(({ kind, size }) => drawForRows(kind, size))];
    const random = new Random(settings.seed).split("posterior");
    const counts = new Array<null>(decoder.features).fill(null);
    // A normal number is computed from two uniform ones.
    const sizes = posterior.noise.map(({ kind, size }) => (kind === "normal" ? 2 * size : size));
    const size = sizes.reduce((sum, each) => sum + each, 0);
    return uniformDraws(x, { counts, size, samples: settings.samples, random }).map((draw) =>
      draw.split(1, sizes).map((uniform, i) => {
        const { kind, size } = posterior.noise[i];
        return kind === "normal" ? boxMuller(uniform, size) : uniform;
      }),
    );
  }

  sample(noise: readonly Tensor[]): Tensor {
    const { prior, decoder } = this;
    const priorNoiseCount = prior.noise.length;
    const z = scoped("prior", () => prior.sample(noise.slice(0, priorNoiseCount)));
    return scoped("decoder", () => decoder.sample(noise.slice(priorNoiseCount), contextFor(decoder, z)));
  }

  /** Fits the decoder to the rows, such as a `Bernoulli` to the frequencies of ones. */
  get fitToData(): FitDistribution | undefined {
    const { decoder } = this;
    return decoder.fitToData && ((...rows) => decoder.fitToData!(...rows));
  }

  describe() {
    const { prior, decoder, posterior, settings } = this;
    return {
      type: "variationalAutoencoder",
      prior: prior.describe(),
      decoder: decoder.describe(),
      posterior: posterior.describe(),
      ...settings,
    };
  }
}

/** Standard normal numbers [N, size] from independent uniform ones [N, 2 size] (Box and Muller 1958). */
function boxMuller(uniform: Tensor, size: number): Tensor {
  const [radius, angle] = uniform.split(1, [size, size]);
  return radius
    .log()
    .mul(-2)
    .sqrt()
    .mul(angle.mul(2 * Math.PI).cos());
}

/** A part may also be unconditional, such as a posterior that ignores x. */
function checkSizes(part: string, distribution: Distribution, features: number, context: number): void {
  const fits =
    distribution.features === features && (distribution.context === context || distribution.context === 0);
  if (fits) return;
  const sizes = (D: number, C: number) => `${D} features and ${C} context features`;
  throw new PushforwardError("SHAPE", `${part} of a variational autoencoder has wrong sizes`, {
    expected: sizes(features, context),
    received: sizes(distribution.features, distribution.context),
    hint: "The decoder is conditional on the latent features, and the posterior on the data features.",
  });
}

export const variationalAutoencoderKind: DistributionKind<typeof variationalAutoencoderSchema> = {
  schema: variationalAutoencoderSchema,
  build: ({ type: _, prior, decoder, posterior, ...settings }, random, nested) =>
    new VariationalAutoencoder({
      prior: nested(prior, random.split("prior")),
      decoder: nested(decoder, random.split("decoder")),
      posterior: nested(posterior, random.split("posterior")),
      ...settings,
    }),
};
