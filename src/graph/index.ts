export { conv2d } from "./convolution.ts";
export type { Gradients } from "./grad.ts";
export { buildGraph, type Graph, printGraph } from "./graph.ts";
export { epsilon, loop, withGradient } from "./loop.ts";
export * from "./mainExports.ts";
export type { Attributes, Emitter, OnnxAttribute, Operation } from "./operation.ts";
export type { Dimension, Shape } from "./shape.ts";
export { batchSize, filled, type Operand } from "./tensor.ts";
export { type Drawn, drawForBatch, drawForRows, isTraining } from "./tracing/drawn.ts";
