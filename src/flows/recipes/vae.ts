import * as z from "zod/mini";
import {
  Autoregressive,
  type Bijection,
  Chain,
  Identity,
  Invert,
  identityOrder,
  Planar,
  Radial,
  reverseOrder,
  Sylvester,
} from "../../bijections/index.ts";
import { PushforwardError } from "../../check/index.ts";
import {
  Bernoulli,
  ContextEmbedding,
  DiagonalNormal,
  DiscretizedLogistic,
  type Distribution,
  StandardNormal,
  TransformedDistribution,
  VariationalAutoencoder,
} from "../../distributions/index.ts";
import type { Activation } from "../../nn/index.ts";
import { sizeSchema } from "../../parts/index.ts";
import { Random } from "../../random/index.ts";
import { Flow } from "../flow.ts";
import { checkedByConstructor, layerSchemas, networkSchemas, optionChecker } from "./options.ts";

/** Options of `vae`. */
export interface VAEOptions {
  /** L, the number of latent features. Default 16. */
  latent?: number | undefined;
  /**
   * The number of values of a feature: 2 for zeros and ones, which get a Bernoulli decoder, or more for integers from 0, which get a
   * discretized logistic one. Default: real numbers and a Gaussian decoder, whose means and deviations are functions of z.
   */
  values?: number | undefined;
  /**
   * The posterior q(z | x): `diagonal` is Gaussian, and the other posteriors are flows with this Gaussian as their base. The
   * parameters of the flows are a linear function of the outputs of the encoder, so that they differ from row to row; `iaf` has
   * the outputs as its context. Default `diagonal`.
   */
  posterior?: "diagonal" | "planar" | "radial" | "sylvester" | "iaf" | undefined;
  /** The number of maps of the posterior. Default 16 planar or radial ones, 4 others. */
  transforms?: number | undefined;
  /** For `sylvester`: M, the dimension of the subspace in which a map moves points. Default min(L, 8). */
  columns?: number | undefined;
  /** The prior p(z), such as a flow of L features: `maf(16)`. Default standard normal. */
  prior?: Distribution | undefined;
  /** Widths of the hidden layers of the encoder; the decoder has them in reverse. Default [256, 256]. */
  hidden?: readonly number[] | undefined;
  /** Activation of the encoder and the decoder. Default `relu`. */
  activation?: Activation | undefined;
  /** K, the number of draws of z in an evaluation of the bound; see `VariationalAutoencoder`. Default 1. */
  samples?: number | undefined;
  /** Seed of the initial weights. Default 0. */
  seed?: number | undefined;
}

const check = optionChecker("vae", {
  latent: sizeSchema,
  values: z.int().check(z.minimum(2), z.maximum(65_536)),
  posterior: z.enum(["diagonal", "planar", "radial", "sylvester", "iaf"]),
  transforms: layerSchemas.transforms,
  columns: checkedByConstructor,
  prior: layerSchemas.base,
  hidden: networkSchemas.hidden.check(z.minLength(1)),
  activation: networkSchemas.activation,
  samples: checkedByConstructor,
  seed: layerSchemas.seed,
});

/** The number of maps of a posterior. A planar or radial map changes a density less than the others do. */
const DEFAULT_TRANSFORMS = { planar: 16, radial: 16, sylvester: 4, iaf: 4 };

/**
 * Variational autoencoder (Kingma and Welling 2014) of D features, as a flow without a bijection: `fit` maximizes its evidence lower
 * bound, `logProb` is the bound, and `Autoencoder` encodes and reconstructs. The posterior is Gaussian, or a flow whose parameters
 * are outputs of the encoder, different for each row (Rezende and Mohamed 2015; Kingma et al. 2016; van den Berg et al. 2018).
 *
 * For real numbers, `forTables(vae(...))` standardizes the columns.
 *
 * @throws ARGUMENT if the options are not valid, SHAPE if the prior has a different number of features from `latent`.
 */
export function vae(features: number, options: VAEOptions = {}): Flow {
  check(features, options);
  checkUse(options, "transforms", ["planar", "radial", "sylvester", "iaf"]);
  checkUse(options, "columns", ["sylvester"]);
  const { latent = 16, hidden = [256, 256], activation = "relu", seed = 0, samples = 1 } = options;
  const { prior = new StandardNormal({ features: latent }) } = options;
  if (prior.features !== latent) {
    throw new PushforwardError(
      "SHAPE",
      "the prior of vae does not have one feature for each latent feature",
      {
        expected: `${latent} features`,
        received: `${prior.features}`,
        hint: "Give the option latent the number of features of the prior.",
      },
    );
  }
  const random = new Random(seed).split("recipe");
  const network = { hidden: hidden.toReversed(), activation };
  const decoder = decoderOf({ features, context: latent, network }, options.values, random.split("decoder"));
  const posterior = posteriorOf(features, { ...options, latent, hidden, activation }, random);
  return new Flow(new VariationalAutoencoder({ prior, decoder, posterior, samples }));
}

/** Throws `ARGUMENT` if the options have `name`, but not one of the posteriors that use it. */
function checkUse(options: VAEOptions, name: "transforms" | "columns", posteriors: readonly string[]): void {
  const { posterior = "diagonal" } = options;
  if (options[name] === undefined || posteriors.includes(posterior)) return;
  throw new PushforwardError("ARGUMENT", `the posterior ${posterior} has no ${name}`, {
    expected: `the posterior ${posteriors.join(", ")}`,
    hint: `Leave out the option ${name}.`,
  });
}

function decoderOf(
  options: { features: number; context: number; network: { hidden: number[]; activation: Activation } },
  values: number | undefined,
  random: Random,
): Distribution {
  if (values === undefined) return new DiagonalNormal({ ...options, zeroInit: false }, random);
  if (values === 2) return new Bernoulli(options, random);
  return new DiscretizedLogistic({ ...options, values }, random);
}

type PosteriorOptions = VAEOptions & Required<Pick<VAEOptions, "latent" | "hidden" | "activation">>;

/** A normal distribution of z and maps, which all have the units of the last layer of the encoder as their context. */
function posteriorOf(features: number, options: PosteriorOptions, random: Random): TransformedDistribution {
  const { latent, hidden, activation, values = 2, posterior = "diagonal" } = options;
  const size = hidden.at(-1)!;
  const network = { hidden: hidden.slice(0, -1), activation };
  const encoder = new ContextEmbedding(
    { numbers: features, size, network, outputActivation: true },
    random.split("encoder"),
  );
  // The encoder sees integers divided by the largest one, and zeros, ones and real numbers as they are.
  encoder.scaler!.scale.value.fill(values - 1);
  const linear = { hidden: [] };
  const base = new DiagonalNormal(
    { features: latent, context: size, network: linear, zeroInit: false },
    random.split("posterior"),
  );
  if (posterior === "diagonal") {
    return new TransformedDistribution(base, new Identity({ features: latent }), encoder);
  }
  const { transforms = DEFAULT_TRANSFORMS[posterior], columns } = options;
  const maps = Array.from({ length: transforms }, (_, i): Bijection => {
    const conditional = { features: latent, context: size, network: linear };
    const mapRandom = random.split("maps").split(i);
    if (posterior === "planar") return new Planar(conditional, mapRandom);
    if (posterior === "radial") return new Radial(conditional, mapRandom);
    if (posterior === "sylvester")
      return new Sylvester({ ...conditional, ...(columns !== undefined && { columns }) }, mapRandom);
    const order = i % 2 === 0 ? identityOrder(latent) : reverseOrder(latent);
    const masked = { order, context: size, network: { hidden: [size], activation } };
    return new Invert(new Autoregressive(masked, mapRandom));
  });
  return new TransformedDistribution(base, new Chain(maps), encoder);
}
