import {
  type Bijection,
  Chain,
  cnf,
  type Distribution,
  Flow,
  GaussianMixture,
  glow,
  iaf,
  Logistic,
  maf,
  nice,
  nsf,
  planarFlow,
  Random,
  radialFlow,
  realNVP,
  Standardize,
  StandardNormal,
  StudentT,
  toys,
} from "pushforward";
import { type BaseClass, baseOf } from "../bases.ts";
import { familyOf, type RecipeName } from "../families.ts";
import type { Setting, Source } from "../setting.ts";
import type { Provider } from "./messages.ts";

const recipes: Readonly<Record<RecipeName, (features: number, options: object) => Flow>> = {
  cnf,
  nsf,
  maf,
  iaf,
  realNVP,
  glow,
  planarFlow,
  radialFlow,
  nice,
};

type DistributionClass = new (options: never, random: Random) => Distribution;

const distributions: Readonly<Record<BaseClass, DistributionClass>> = {
  GaussianMixture,
  Logistic,
  StandardNormal,
  StudentT,
};

/** The flow of a setting: the recipe, and a last layer that standardizes the data, whose statistics `fit` computes from the rows. */
export function flowOf({ family: name, base: baseName, ...settings }: Setting): Flow {
  const family = familyOf(name);
  const { class: className, options } = baseOf(baseName);
  const base = new distributions[className](options as never, new Random(settings.seed));
  const { bijection } = recipes[family.recipe](2, { ...family.options(settings), base });
  return new Flow(base, new Chain([bijection, new Standardize({ features: 2 })]));
}

/** The layers in order from the base distribution to the data. */
export function layersOf({ bijection }: Flow): readonly Bijection[] {
  const flatten = (each: Bijection): Bijection[] =>
    each instanceof Chain ? each.bijections.flatMap(flatten) : [each];
  return flatten(bijection);
}

/** The rows of a source, as x0, y0, x1, y1, ... */
export function sourceRows(source: Source, seed: number): Float64Array {
  return source.kind === "toy" ? toys[source.name](source.rows, { seed }) : Float64Array.from(source.values);
}

/** The options of `fit` and `minimize` that the page sets; exported programs set the same, with the provider `wasm`. */
export const trainingOptions = ({ family, learningRate, seed }: Setting, provider: Provider) => ({
  ...familyOf(family).training,
  optimizer: { learningRate },
  seed,
  // One thread of WebAssembly: its results are the same in every browser and in Node.
  threads: 1,
  providers: [provider],
});
