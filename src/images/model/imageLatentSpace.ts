import { TransformedDistribution, type VariationalAutoencoder } from "../../distributions/index.ts";
import { Autoencoder, Flow, type RunOptions } from "../../flows/index.ts";

/** The maps between images [n, D] and their latent rows [n, L]. */
export interface LatentSpace {
  /** The distribution of latent rows, which may depend on the context of the images. */
  readonly prior: Flow;
  /** The base distribution of `prior`. */
  readonly base: Flow;
  toLatent(pixels: Float64Array, context: Float64Array | undefined, run: RunOptions): Promise<Float64Array>;
  toPixels(latent: Float64Array, context: Float64Array | undefined, run: RunOptions): Promise<Float64Array>;
  /** Frees what the maps keep for their next call. */
  release(): Promise<void>;
}

/** The latent space of the density of pixels plus noise. */
export function dequantizedLatentSpace(density: Flow, values: number): LatentSpace {
  const { base, embedding } = density;
  const prior = new Flow(base, undefined, base.context > 0 ? embedding : undefined);
  return {
    prior,
    base: prior,
    toLatent: (pixels, context, run) =>
      density.toLatent(
        pixels.map((pixel) => pixel + 0.5),
        context,
        run,
      ),
    async toPixels(latent, context, run) {
      const data = await density.toData(latent, context, run);
      return data.map((value) => Math.min(values - 1, Math.max(0, Math.floor(value))));
    },
    async release() {
      await density.release();
      await prior.release();
    },
  };
}

/** The codes of a variational autoencoder. */
export function autoencoderLatentSpace(model: VariationalAutoencoder, flow: Flow): LatentSpace {
  const autoencoder = new Autoencoder(flow);
  const prior =
    model.prior instanceof TransformedDistribution
      ? new Flow(model.prior.base, model.prior.bijection)
      : new Flow(model.prior);
  const base = new Flow(prior.base);
  return {
    prior,
    base,
    toLatent: (pixels, _context, run) => autoencoder.encode(pixels, run),
    toPixels: (latent, _context, run) => autoencoder.decode(latent, run),
    async release() {
      for (const evaluator of [autoencoder, prior, base]) await evaluator.release();
    },
  };
}
