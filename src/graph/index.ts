export { conv2d } from "./convolution.ts";
export { type Gradients, grad, jacobian, valueAndGrad, vjp } from "./grad.ts";
export { buildGraph, type Graph, printGraph } from "./graph.ts";
export { epsilon, loop, withGradient } from "./loop.ts";
export type { Attributes, Emitter, OnnxAttribute, Operation } from "./operation.ts";
export { Parameter } from "./parameter.ts";
export type { Dimension, Shape } from "./shape.ts";
export { batchSize, concat, constant, filled, input, type Operand, scalar, stack, Tensor } from "./tensor.ts";
export { type Drawn, drawForBatch, drawForRows, isTraining } from "./tracing/drawn.ts";
