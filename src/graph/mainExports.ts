/** What both `pushforward` and `pushforward/graph` export. */
export { grad, jacobian, valueAndGrad, vjp } from "./grad.ts";
export { Parameter } from "./parameter.ts";
export { concat, constant, input, scalar, stack, Tensor } from "./tensor.ts";
