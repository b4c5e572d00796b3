export { type AutoregressiveRecipeOptions, iaf, maf } from "./autoregressive.ts";
export { type ContinuousRecipeOptions, cnf } from "./continuous.ts";
export { type CouplingRecipeOptions, glow, nice, realNVP } from "./coupling.ts";
export { type GaussianizationRecipeOptions, gaussianization } from "./gaussianization.ts";
export type { RecipeOptions } from "./layers.ts";
export { type MadeRecipeOptions, made } from "./made.ts";
export {
  type BNAFRecipeOptions,
  bnaf,
  bpf,
  type NAFRecipeOptions,
  naf,
  type PolynomialRecipeOptions,
  sospf,
  type UMNNRecipeOptions,
  umnn,
} from "./monotone.ts";
export {
  type PlanarRecipeOptions,
  planar,
  radial,
  type SylvesterRecipeOptions,
  sylvester,
} from "./planar.ts";
export { type ResidualRecipeOptions, residual } from "./residual.ts";
export { ncsf, nsf, type SplineRecipeOptions } from "./spline.ts";
