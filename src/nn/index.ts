/** Layers, masked and convolutional networks, transformers, and parameters by path. */

export { type Activation, activate, activationSchema } from "./activation.ts";
export {
  AxisPermutations,
  columnPermutations,
  drawPermutations,
  inversePermutation,
} from "./axisPermutations.ts";
export { BlockLinear } from "./blockLinear.ts";
export { CausalAttention, type KeyValueCache } from "./causalAttention.ts";
export {
  CausalTransformer,
  type IncrementalTransformer,
  type TransformerOptions,
  transformerSchema,
} from "./causalTransformer.ts";
export { CausalWindow } from "./causalWindow.ts";
export { ConvNet, type ConvNetOptions, convNetSchema, type ImageContext } from "./convNet.ts";
export { Convolution } from "./convolution.ts";
export { withDivergence } from "./divergence.ts";
export {
  depthToSpace,
  type ImageShape,
  imageSchema,
  imageSize,
  spaceToDepth,
  toImages,
  toRows,
} from "./image.ts";
export { IncrementalMaskedMLP, type IncrementalNetwork } from "./incremental.ts";
export { LayerNorm } from "./layerNorm.ts";
export { Linear, linearLayers } from "./linear.ts";
export { type Autoregression, MaskedMLP } from "./maskedMLP.ts";
export { type MaskVariant, MaskVariants, singleVariant, variantCountSchema } from "./maskVariants.ts";
export { MLP, type NetworkDescription, type NetworkOptions, networkSchema } from "./mlp.ts";
export { instancesOf, parametersOf, trainableParameters } from "./module.ts";
export { OrderedMLP, type Positions } from "./orderedMLP.ts";
export { requireColumns } from "./requireColumns.ts";
export { ResidualNetwork } from "./residualNetwork.ts";
export { SeparateMLPs } from "./separateMLPs.ts";
export { MAX_FEATURES_FOR_EXACT_TRACE, type TraceEstimator, traceEstimatorSchema } from "./traceEstimator.ts";
export { checkParametersReachable } from "./unreachableParameters.ts";
