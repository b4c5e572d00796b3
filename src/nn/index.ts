export type { Activation } from "./activation.ts";
export { BlockLinear } from "./blockLinear.ts";
export { IncrementalMaskedMLP, type IncrementalNetwork } from "./incremental.ts";
export { Linear } from "./linear.ts";
export { type Autoregression, MaskedMLP } from "./maskedMLP.ts";
export { MLP, type NetworkOptions } from "./mlp.ts";
export { parametersOf, trainableParameters } from "./module.ts";
export { SeparateMLPs } from "./separateMLPs.ts";
