import { Autoregressive } from "../bijections/autoregressive.ts";
import { BatchNorm } from "../bijections/batchNorm.ts";
import type { Bijection } from "../bijections/bijection.ts";
import { BlockAutoregressive } from "../bijections/blockAutoregressive.ts";
import { Chain } from "../bijections/chain.ts";
import { Continuous, type ContinuousOptions } from "../bijections/continuous.ts";
import { alternatingMask, Coupling, randomMask } from "../bijections/coupling.ts";
import { DiagonalScaling } from "../bijections/diagonalScaling.ts";
import { Elementwise } from "../bijections/elementwise.ts";
import { Householder } from "../bijections/householder.ts";
import { Invert } from "../bijections/invert.ts";
import { identityOrder, Permutation, randomOrder, reverseOrder } from "../bijections/permutation.ts";
import { Planar } from "../bijections/planar.ts";
import { Radial } from "../bijections/radial.ts";
import { RealNVPCoupling } from "../bijections/realNVPCoupling.ts";
import { Residual, type ResidualOptions } from "../bijections/residual.ts";
import type { ScalarTransformOptions } from "../bijections/scalar/build.ts";
import { Sylvester } from "../bijections/sylvester.ts";
import type { Distribution } from "../distributions/distribution.ts";
import { Ensemble } from "../distributions/ensemble.ts";
import { Logistic } from "../distributions/logistic.ts";
import { Made, type MadeOptions } from "../distributions/made.ts";
import { StandardNormal } from "../distributions/standardNormal.ts";
import { Uniform } from "../distributions/uniform.ts";
import { PushforwardError } from "../errors.ts";
import type { NetworkOptions } from "../nn/mlp.ts";
import { Random } from "../random/index.ts";
import { Flow } from "./flow.ts";

/** What the recipes have in common. */
export interface RecipeOptions extends NetworkOptions {
  /** Number of context features C; the flow is then p(x | context). Default 0. */
  context?: number;
  /** Number of layers. Default 5, of NICE 4, of block autoregressive flows 1, of Sylvester flows 8, of planar and radial flows 32. */
  transforms?: number;
  /** How the order (autoregressive) or the mask (coupling) changes from layer to layer. Default `alternating`. */
  ordering?: "alternating" | "random";
  /**
   * M orders (autoregressive) or masks (coupling) of each layer that share its weights: every batch of a training draws one.
   * Default 1.
   */
  orders?: number;
  /** Gives the mean density over the `orders`, and not that of the first. Default false. */
  ensemble?: boolean;
  /** Puts a batch normalization between layers, and between the last one and the base. Default false. */
  batchNorm?: boolean;
  /** Default the standard normal; NICE has the logistic. */
  base?: Distribution;
  /** Seed of orders, masks and starting weights. Default 0. */
  seed?: number;
}

export interface SplineRecipeOptions extends RecipeOptions {
  /** Default `autoregressive`. */
  kind?: "coupling" | "autoregressive";
  /** Number of bins. Default 8. */
  bins?: number;
  /** The spline lives on [-bound, bound]. Default 5. */
  bound?: number;
}

export interface MadeRecipeOptions
  extends NetworkOptions,
    Pick<
      MadeOptions,
      "outputs" | "components" | "hiddenOrder" | "direct" | "context" | "masks" | "orderAgnostic"
    > {
  /** The order of the features. Default `natural`: 0, 1, ... */
  ordering?: "natural" | "random";
  /** Seed of orders and starting weights. Default 0. */
  seed?: number;
}

export interface CouplingRecipeOptions extends RecipeOptions {
  /**
   * `separate`: s and t of a RealNVP from a network each, s bounded by tanh with learned scales, as published. Default `shared`.
   */
  conditioner?: "shared" | "separate";
}

export interface AutoregressiveRecipeOptions extends RecipeOptions {
  /** `separate`: a network for each parameter of each feature. Default `masked`. */
  conditioner?: "masked" | "separate";
}

/** Layers whose networks, if any, are of the context. */
export interface PlanarRecipeOptions extends Omit<RecipeOptions, "ordering" | "orders" | "ensemble"> {
  /** Which direction is closed form; the other one finds roots. Default `density`. */
  closedForm?: "density" | "sampling";
}

export interface SylvesterRecipeOptions extends PlanarRecipeOptions {
  /** Number of directions that a layer bends. Default D, but no more than 8. */
  columns?: number;
}

export interface NAFRecipeOptions extends RecipeOptions {
  /** Sigmoids of a layer. Default 8. */
  units?: number;
  /** Layers of sigmoids in each transform. Default 1. */
  sigmoidLayers?: number;
}

export interface UMNNRecipeOptions extends RecipeOptions {
  /** Hidden units of the integrand. Default 8. */
  units?: number;
  /** Points of the quadrature. Default 48. */
  nodes?: number;
  /** Integrals run over [-bound, bound]. Default 5. */
  bound?: number;
}

export interface PolynomialRecipeOptions extends RecipeOptions {
  /** Default 4 (sums of squares) or 16 (Bernstein). */
  degree?: number;
  /** The polynomial lives on [-bound, bound]. Default 5. */
  bound?: number;
}

/** What is common to flows without a conditioner. */
type OwnRecipeOptions = Pick<RecipeOptions, "context" | "transforms" | "base" | "seed">;

export interface BNAFRecipeOptions extends OwnRecipeOptions {
  /** Hidden units of each feature. Default 8. */
  units?: number;
  /** Hidden layers. Default 2. */
  layers?: number;
}

export interface GaussianizationRecipeOptions extends Omit<OwnRecipeOptions, "context"> {
  /** Normal distributions in each mixture. Default 8. */
  components?: number;
}

export interface ResidualRecipeOptions extends OwnRecipeOptions, Pick<ResidualOptions, "trace"> {
  /** Widths of the hidden layers. Default [64, 64]. */
  hidden?: number[];
  /** Bound of the Lipschitz constant of g, below 1. Default 0.9. */
  lipschitz?: number;
}

/** NICE: additive couplings, which keep volumes, and a diagonal scaling, over a logistic base (Dinh et al. 2015). */
export function nice(features: number, options: RecipeOptions = {}): Flow {
  const settings = { base: new Logistic({ features }), transforms: 4, ...options };
  return couplings(features, { type: "additive" }, settings, [new DiagonalScaling({ features })]);
}

/** RealNVP: affine couplings (Dinh et al. 2017). Both directions are one pass. */
export function realNVP(features: number, options: CouplingRecipeOptions = {}): Flow {
  const { conditioner = "shared", context = 0 } = options;
  if (conditioner === "shared") return couplings(features, { type: "affine" }, options);
  if (options.orders !== undefined && options.orders > 1) {
    throw new PushforwardError("ARGUMENT", "a RealNVP of separate networks has one mask a layer", {
      mend: 'Leave out orders, or take the conditioner "shared".',
    });
  }
  const mask = masks(features, options);
  return layers(
    features,
    options,
    (i, random) => new RealNVPCoupling({ mask: mask(i), context, network: network(options) }, random),
  );
}

/** Masked autoregressive flow (Papamakarios et al. 2017): its density is one pass. */
export function maf(features: number, options: AutoregressiveRecipeOptions = {}): Flow {
  return autoregressive(features, { type: "affine" }, options);
}

/** Inverse autoregressive flow (Kingma et al. 2016): MAF turned around, so that drawing is one pass. */
export function iaf(features: number, options: AutoregressiveRecipeOptions = {}): Flow {
  return autoregressive(features, { type: "affine" }, options, (bijection) => new Invert(bijection));
}

/** Neural spline flow: rational-quadratic splines, autoregressive or in couplings (Durkan et al. 2019). */
export function nsf(features: number, options: SplineRecipeOptions = {}): Flow {
  const { kind = "autoregressive", bins = 8, bound = 5, ...rest } = options;
  const transform = { type: "rationalQuadraticSpline", bins, bound } as const;
  return kind === "coupling"
    ? couplings(features, transform, rest)
    : autoregressive(features, transform, rest);
}

/**
 * Neural circular spline flow for angles in [-pi, pi), autoregressive or in couplings, over a uniform base (Rezende et al. 2020):
 * a density on the torus, of period 2 pi in each feature.
 */
export function ncsf(features: number, options: Omit<SplineRecipeOptions, "bound"> = {}): Flow {
  const { kind = "autoregressive", bins = 8, ...rest } = options;
  const transform = { type: "circularSpline", bins } as const;
  const all = { base: new Uniform({ features, low: -Math.PI, high: Math.PI }), ...rest };
  return kind === "coupling" ? couplings(features, transform, all) : autoregressive(features, transform, all);
}

/**
 * MADE as a density model (Germain et al. 2015), with no bijection: `bernoulli` outputs for binary data. With several `masks`
 * it is the ensemble over them.
 */
export function made(features: number, options: MadeRecipeOptions = {}): Flow {
  const { ordering = "natural", hidden, activation, residual, seed = 0, ...rest } = options;
  const random = new Random(seed).split("recipe");
  const order =
    ordering === "random" ? randomOrder(features, random.split("order")) : identityOrder(features);
  const description = { order, seed, network: network({ hidden, activation, residual }), ...rest };
  const model = new Made(description, random);
  return new Flow(rest.masks && rest.masks > 1 ? new Ensemble(model, { variants: rest.masks }) : model);
}

export interface ContinuousRecipeOptions
  extends Pick<RecipeOptions, "context" | "base" | "seed" | "hidden" | "activation">,
    Pick<ContinuousOptions, "frequencies" | "tolerance" | "trace"> {}

/**
 * Continuous normalizing flow (Chen et al. 2018; FFJORD: Grathwohl et al. 2019): `fit` trains it by likelihood, or much
 * faster with `objective: "flowMatching"`. The activation is silu unless told.
 */
export function cnf(features: number, options: ContinuousRecipeOptions = {}): Flow {
  const { base = new StandardNormal({ features }), seed = 0, hidden, activation, ...rest } = options;
  const network = { ...(hidden && { hidden }), ...(activation && { activation }) };
  return new Flow(base, new Continuous({ features, network, ...rest }, new Random(seed).split("recipe")));
}

/** Planar flow: each layer bends space across a plane (Rezende and Mohamed 2015). */
export function planar(features: number, options: PlanarRecipeOptions = {}): Flow {
  const { context = 0, closedForm } = options;
  return layers(features, { transforms: 32, ...options }, (_, random) =>
    turned(new Planar({ features, context, network: network(options) }, random), closedForm),
  );
}

/** Radial flow: each layer draws rows to a point or pushes them away, in closed form both ways (Rezende and Mohamed 2015). */
export function radial(
  features: number,
  options: Omit<RecipeOptions, "ordering" | "orders" | "ensemble"> = {},
): Flow {
  const { context = 0 } = options;
  return layers(
    features,
    { transforms: 32, ...options },
    (_, random) => new Radial({ features, context, network: network(options) }, random),
  );
}

/** Sylvester flow: each layer is planar in several directions at once (van den Berg et al. 2018). */
export function sylvester(features: number, options: SylvesterRecipeOptions = {}): Flow {
  const { context = 0, closedForm, columns } = options;
  return layers(features, { transforms: 8, ...options }, (_, random) =>
    turned(new Sylvester({ features, columns, context, network: network(options) }, random), closedForm),
  );
}

/** Neural autoregressive flow: mixtures of sigmoids (Huang et al. 2018). */
export function naf(features: number, options: NAFRecipeOptions = {}): Flow {
  const { units = 8, sigmoidLayers = 1, ...rest } = options;
  return autoregressive(features, { type: "deepSigmoidal", units, layers: sigmoidLayers }, rest);
}

/** Unconstrained monotonic neural network: integrals of positive networks (Wehenkel and Louppe 2019). */
export function umnn(features: number, options: UMNNRecipeOptions = {}): Flow {
  const { units = 8, nodes = 48, bound = 5, ...rest } = options;
  return autoregressive(features, { type: "monotonicNetwork", units, nodes, bound }, rest);
}

/** Sum-of-squares polynomial flow (Jaini et al. 2019). */
export function sospf(features: number, options: PolynomialRecipeOptions = {}): Flow {
  const { degree = 4, bound = 5, ...rest } = options;
  return autoregressive(features, { type: "sumOfSquares", degree, bound }, rest);
}

/** Bernstein polynomial flow (Ramasinghe et al. 2021). */
export function bpf(features: number, options: PolynomialRecipeOptions = {}): Flow {
  const { degree = 16, bound = 5, ...rest } = options;
  return autoregressive(features, { type: "bernstein", degree, bound }, rest);
}

/** Block neural autoregressive flow: each layer one network, the order turned around in between (De Cao et al. 2019). */
export function bnaf(features: number, options: BNAFRecipeOptions = {}): Flow {
  const { context = 0, units, layers: hiddenLayers } = options;
  const order = reverseOrder(features);
  return layers(features, { transforms: 1, ...options }, (i, random) => {
    const layer = new BlockAutoregressive({ features, context, units, layers: hiddenLayers }, random);
    return i === 0 ? layer : new Chain([layer, new Permutation({ order })]);
  });
}

/** Gaussianization flow: rotations, and mixtures made normal feature by feature (Meng et al. 2020). */
export function gaussianization(features: number, options: GaussianizationRecipeOptions = {}): Flow {
  const { components = 8 } = options;
  return layers(features, options, (_, random) => {
    const marginals = new Elementwise({ features, transform: { type: "gaussianization", components } });
    return new Chain([marginals, new Householder({ features }, random)]);
  });
}

/** Residual flow: z = x + g(x) with a Lipschitz bound on g (Behrmann et al. 2019; Chen et al. 2019). */
export function residual(features: number, options: ResidualRecipeOptions = {}): Flow {
  const { context = 0, hidden, lipschitz, trace } = options;
  return layers(
    features,
    options,
    (_, random) => new Residual({ features, context, hidden, lipschitz, trace }, random),
  );
}

/** A map whose sampling direction is closed form, turned around unless that is what is asked for. */
const turned = (bijection: Bijection, closedForm: PlanarRecipeOptions["closedForm"]): Bijection =>
  closedForm === "sampling" ? bijection : new Invert(bijection);

function couplings(
  features: number,
  transform: ScalarTransformOptions,
  options: RecipeOptions,
  atBase: readonly Bijection[] = [],
): Flow {
  const { context = 0, orders = 1, seed = 0 } = options;
  const mask = masks(features, options);
  return layers(
    features,
    options,
    (i, random) => {
      const several = orders > 1 ? { masks: orders, seed: layerSeed(seed, i) } : {};
      const shape = { mask: mask(i), transform, context, network: network(options), ...several };
      return new Coupling(shape, random);
    },
    atBase,
  );
}

/** What coupling i keeps. */
function masks(features: number, { ordering = "alternating", seed = 0 }: RecipeOptions) {
  const random = new Random(seed).split("masks");
  return (i: number): boolean[] => {
    const pair =
      ordering === "random"
        ? randomMask(features, random.split(Math.floor(i / 2)))
        : alternatingMask(features);
    // Two layers in a row change all features; a single one is changed by each.
    return features === 1 ? [false] : pair.map((keep) => keep === (i % 2 === 0));
  };
}

function autoregressive(
  features: number,
  transform: ScalarTransformOptions,
  options: AutoregressiveRecipeOptions,
  turn = (bijection: Bijection) => bijection,
): Flow {
  return layers(features, options, (i, random) => {
    const { ordering = "alternating", context = 0, conditioner, orders = 1, seed = 0 } = options;
    const alternating = i % 2 === 0 ? identityOrder(features) : reverseOrder(features);
    const order = ordering === "random" ? randomOrder(features, random.split("order")) : alternating;
    const several = orders > 1 ? { orders, seed: layerSeed(seed, i) } : {};
    const shape = { order, transform, context, conditioner, network: network(options), ...several };
    return turn(new Autoregressive(shape, random));
  });
}

/** A chain in which layer 0 is next to the data, and `atBase` next to the base. */
function layers(
  features: number,
  options: RecipeOptions,
  layer: (index: number, random: Random) => Bijection,
  atBase: readonly Bijection[] = [],
): Flow {
  const { transforms = 5, seed = 0, base = new StandardNormal({ features }), batchNorm = false } = options;
  const random = new Random(seed).split("recipe");
  const fromData = Array.from({ length: transforms }, (_, i) => [
    layer(i, random.split(i)),
    ...(batchNorm ? [new BatchNorm({ features })] : []),
  ]).flat();
  const flow = new Flow(base, new Chain([...atBase, ...fromData.reverse()]));
  const { orders = 1, ensemble = false } = options;
  return ensemble && orders > 1 ? new Flow(new Ensemble(flow.distribution, { variants: orders })) : flow;
}

/** Layers draw different orders. */
const layerSeed = (seed: number, layer: number) => 1000 * seed + layer;

const network = ({ hidden, activation, residual }: RecipeOptions): NetworkOptions => ({
  ...(hidden && { hidden }),
  ...(activation && { activation }),
  ...(residual !== undefined && { residual }),
});
