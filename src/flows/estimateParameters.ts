import { checkOptions, integerFrom, type OptionRule, parse } from "../check/index.ts";
import { sizeSchema } from "../parts/index.ts";
import { iaf, maf } from "./recipes/autoregressive.ts";
import { cnf } from "./recipes/continuous.ts";
import { glow, nice, realNVP } from "./recipes/coupling.ts";
import { naf } from "./recipes/monotone.ts";
import { planarFlow } from "./recipes/planar.ts";
import { nsf } from "./recipes/spline.ts";

/** What the number of parameters of a layer depends on. */
interface Layer {
  readonly index: number;
  readonly features: number;
  readonly context: number;
  /** The number of parameters of a network with these numbers of inputs and outputs. */
  network(inputs: number, outputs: number, hidden?: readonly number[]): number;
}

type LayerSize = (layer: Layer) => number;

/** A layer whose network has this number of outputs for each feature. */
const autoregressive =
  (outputs: number): LayerSize =>
  ({ features, context, network }) =>
    // A single feature without a context has no hidden layers.
    network(features + context, outputs * features, features + context === 1 ? [] : undefined);

/** A layer whose network has this number of outputs for each feature that it changes. Masks alternate. */
const coupling =
  (outputs: number): LayerSize =>
  ({ index, features, context, network }) => {
    const changed = features === 1 ? 1 : index % 2 === 0 ? Math.floor(features / 2) : Math.ceil(features / 2);
    return network(features - changed + context, outputs * changed);
  };

/** The number of parameters of a layer of each recipe, with the default options of the recipe. */
const LAYER_SIZES: ReadonlyMap<unknown, LayerSize> = new Map<unknown, LayerSize>([
  [nsf, autoregressive(23)],
  [maf, autoregressive(2)],
  [iaf, autoregressive(2)],
  [naf, autoregressive(24)],
  [realNVP, coupling(2)],
  [nice, coupling(1)],
  // The coupling, an LU decomposition in two full matrices and two vectors, and the two vectors of an actnorm.
  [glow, (layer) => coupling(2)(layer) + 2 * layer.features ** 2 + 4 * layer.features],
  // Two vectors and a number, to which a network of the context adds its outputs.
  [
    planarFlow,
    ({ features, context, network }) => {
      const size = 2 * features + 1;
      return context === 0 ? size : size + network(context, size);
    },
  ],
  // The time is six inputs of the network.
  [cnf, ({ features, context, network }) => network(features + context + 6, features)],
]);

/** The default number of transforms of a recipe, where it is not 5. */
const DEFAULT_TRANSFORMS: ReadonlyMap<unknown, number> = new Map<unknown, number>([
  [nice, 4],
  [planarFlow, 32],
  [cnf, 1],
]);

const positiveInteger = integerFrom(1);
const sizesOfLayers: OptionRule = {
  expected: "a list of positive integers",
  accepts: (value) => Array.isArray(value) && value.every(positiveInteger.accepts),
};

/**
 * How many parameters the flow of a recipe has, without building it. The number is exact, except for autoregressive layers (`nsf`, `maf`,
 * `iaf`, `naf`) with 128 or more hidden units: these do not store all weights that their masks exclude, and the number is an upper bound.
 * Undefined for a recipe that is not `nsf`, `maf`, `realNVP`, `glow`, `nice`, `iaf`, `planarFlow`, `naf` or `cnf`. The options have the
 * defaults of the recipe. Throws `ARGUMENT` if they or the number of features are not valid.
 */
export function estimateParameters(
  recipe: unknown,
  features: number,
  options: { context?: number; transforms?: number | undefined; hidden?: readonly number[] | undefined } = {},
): number | undefined {
  const { context = 0, transforms = DEFAULT_TRANSFORMS.get(recipe) ?? 5, hidden = [64, 64] } = options;
  checkOptions("estimateParameters", options, {
    context: integerFrom(0),
    transforms: integerFrom(0),
    hidden: sizesOfLayers,
  });
  parse(sizeSchema, features, "the number of features of estimateParameters");
  const sizeOf = LAYER_SIZES.get(recipe);
  if (!sizeOf) return undefined;
  const network: Layer["network"] = (inputs, outputs, layers = hidden) => {
    const widths = [inputs, ...layers, outputs];
    return widths.slice(1).reduce((sum, width, i) => sum + (widths[i]! + 1) * width, 0);
  };
  const [even, odd] = [0, 1].map((index) => sizeOf({ index, features, context, network })) as [
    number,
    number,
  ];
  const scaling = recipe === nice ? features : 0;
  return Math.ceil(transforms / 2) * even + Math.floor(transforms / 2) * odd + scaling;
}
