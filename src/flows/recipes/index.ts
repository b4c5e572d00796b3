export { iaf, type MAFOptions, maf } from "./autoregressive.ts";
export { cnf } from "./continuous.ts";
export { glow, nice, type RealNVPOptions, realNVP } from "./coupling.ts";
export { type GaussianizationOptions, gaussianization } from "./gaussianization.ts";
export type { ImageCouplingRecipeOptions, ImageFlowRecipeOptions, ImageRecipeOptions } from "./images.ts";
export type { RecipeOptions } from "./layers.ts";
export { type MadeFlowOptions, madeFlow } from "./made.ts";
export {
  type BNAFOptions,
  bnaf,
  bpf,
  type NAFOptions,
  naf,
  type PolynomialFlowOptions,
  sospf,
  type UMNNOptions,
  umnn,
} from "./monotone.ts";
export type { GlowImageOptions, RealNVPImageOptions } from "./multiScale.ts";
export type { NiceImageOptions } from "./niceOfImages.ts";
export {
  type PlanarFlowOptions,
  planarFlow,
  type RadialRecipeOptions,
  radialFlow,
  type SylvesterFlowOptions,
  sylvesterFlow,
} from "./planar.ts";
export { type ResidualFlowOptions, residualFlow } from "./residual.ts";
export { type NSFOptions, ncsf, nsf } from "./spline.ts";
