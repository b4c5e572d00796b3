/** Tensors, operations and gradients; compiler passes; root finding, integration and special functions of tensors. */

export { type Gradients, grad, jacobian, valueAndGrad, vjp } from "./grad.ts";
export { buildGraph, type Graph, type GraphOptions, printGraph } from "./graph.ts";
export { loop } from "./loop.ts";
export { cholesky, solveLower } from "./numerics/cholesky.ts";
export { diagonal } from "./numerics/diagonal.ts";
export { type IntegrateOptions, integrate, type VectorField } from "./numerics/integrate.ts";
export { logGamma } from "./numerics/logGamma.ts";
export { logOneMinusExp } from "./numerics/logOneMinusExp.ts";
export { logNormalInterval } from "./numerics/normalInterval.ts";
export { normalTailQuantile, normalTails } from "./numerics/normalTail.ts";
export { solveIncreasing, withImplicitGradient } from "./numerics/solve.ts";
export { spectralBound } from "./numerics/spectralNorm.ts";
export {
  type Attributes,
  CHANNEL_BLOCKS_DOMAIN,
  ElementType,
  type Emitter,
  type Floats,
  type LoopBody,
  type OnnxAttribute,
  type Operation,
} from "./operation.ts";
export { conv2d } from "./operations/convolution.ts";
export { isSumWithTransposedProduct, relu } from "./operations/elementwise.ts";
export { gate } from "./operations/gate.ts";
export { layerNormalization } from "./operations/layerNormalization.ts";
export { matrixMask } from "./operations/linear.ts";
export { constantValues, scalarValue } from "./operations/source.ts";
export { LOGARITHM, Parameter, WEIGHT } from "./parameter.ts";
export { absorbBiases } from "./passes/absorbBiases.ts";
export { loadSchedule } from "./passes/loadSchedule.ts";
export { peakNumbersPerRow } from "./passes/lowMemoryOrder.ts";
export { type MaskedParameter, maskedParameters } from "./passes/maskedParameters.ts";
export { absorbTransposes } from "./passes/transposes.ts";
export {
  type Dimension,
  formatShape,
  isDimension,
  resolveShape,
  type Shape,
  sameShape,
  sizeOf,
} from "./shape.ts";
export { substitute } from "./substitute.ts";
export {
  batchSize,
  concat,
  constant,
  constantMatrix,
  epsilon,
  filled,
  input,
  type Operand,
  scalar,
  stack,
  Tensor,
  unitRow,
} from "./tensor.ts";
export { currentScope, scoped } from "./tracing/scope.ts";
export {
  drawForBatch,
  drawForRows,
  drawRademacher,
  isTracingLoss,
  isTraining,
  type RandomInput,
  type RandomSource,
  type TracedLoss,
  traceLoss,
  updateAfterStep,
  usesBatchStatistics,
} from "./tracing/training.ts";
export { currentVariant, withVariant } from "./tracing/variant.ts";
export { ancestors } from "./traversal.ts";
export { withGradient } from "./withGradient.ts";
