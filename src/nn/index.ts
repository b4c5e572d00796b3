export type { Activation } from "./activation.ts";
export { BlockLinear } from "./blockLinear.ts";
export { CausalAttention, type KeyValueCache } from "./causalAttention.ts";
export {
  CausalTransformer,
  type IncrementalTransformer,
  type TransformerOptions,
} from "./causalTransformer.ts";
export { ConvNet, type ConvNetOptions, type ImageContext } from "./convNet.ts";
export { Convolution } from "./convolution.ts";
export type { ImageShape } from "./image.ts";
export { IncrementalMaskedMLP, type IncrementalNetwork } from "./incremental.ts";
export { LayerNorm } from "./layerNorm.ts";
export { Linear } from "./linear.ts";
export { type Autoregression, MaskedMLP } from "./maskedMLP.ts";
export { MLP, type NetworkDescription, type NetworkOptions } from "./mlp.ts";
export { parametersOf, trainableParameters } from "./module.ts";
export { SeparateMLPs } from "./separateMLPs.ts";
