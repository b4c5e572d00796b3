export { conv2d } from "./convolution.ts";
export { ancestors, grad, jacobian, valueAndGrad, vjp } from "./grad.ts";
export { buildGraph, type Graph, printGraph } from "./graph.ts";
export type { Attributes, Emitter, OnnxAttribute, Operation } from "./operation.ts";
export { Parameter } from "./parameter.ts";
export { scoped } from "./scope.ts";
export { type Dimension, formatShape, resolveShape, type Shape, sameShape, sizeOf } from "./shape.ts";
export { logGamma } from "./special.ts";
export { batchSize, concat, constant, filled, input, type Operand, scalar, stack, Tensor } from "./tensor.ts";
