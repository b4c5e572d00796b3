import { sizeSchema } from "../description.ts";
import { checkOptions, integerFrom, type OptionRule } from "../options.ts";
import { parse } from "../parse.ts";
import { cnf, glow, iaf, maf, naf, nice, nsf, planarFlow, realNVP } from "./recipes/index.ts";

/** The number of outputs of each network for each feature, with the default options of the recipe. */
const OUTPUTS_PER_FEATURE: ReadonlyMap<unknown, number> = new Map<unknown, number>([
  [nsf, 23],
  [maf, 2],
  [realNVP, 2],
  [glow, 2],
  [nice, 1],
  [iaf, 2],
  [planarFlow, 2],
  [naf, 24],
  [cnf, 1],
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
 * About how many parameters the flow of a recipe has, without building it. For autoregressive layers (`nsf`, `maf`, `iaf`, `naf`) the
 * number is exact; for couplings it is up to 20% too high, because their networks read only a part of the features. Undefined for a recipe
 * that is not `nsf`, `maf`, `realNVP`, `glow`, `nice`, `iaf`, `planarFlow`, `naf` or `cnf`. The options have the defaults of the recipe.
 * Throws `ARGUMENT` if they or the number of features are not valid.
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
  const outputs = OUTPUTS_PER_FEATURE.get(recipe);
  if (outputs === undefined) return undefined;
  const planar = recipe === planarFlow;
  // Without a context a planar layer has no network, only two vectors and a number.
  if (planar && context === 0) return transforms * (2 * features + 1);
  const widths = [planar ? context : features + context, ...hidden, features * outputs];
  // Each unit has a bias. In a continuous flow it also has weights of the time.
  const extraWeights = recipe === cnf ? 5 : 1;
  const network = widths.slice(1).reduce((sum, width, i) => sum + (widths[i]! + extraWeights) * width, 0);
  const linearMap = recipe === glow ? features ** 2 : 0;
  return transforms * (network + linearMap);
}
