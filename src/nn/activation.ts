import * as z from "zod/mini";
import type { Tensor } from "../graph/index.ts";

export const activationSchema = z.enum([
  "relu",
  "leakyRelu",
  "elu",
  "gelu",
  "silu",
  "tanh",
  "softplus",
  "sigmoid",
]);

/** Name of an activation function. Each is a method of `Tensor`. */
export type Activation = "relu" | "leakyRelu" | "elu" | "gelu" | "silu" | "tanh" | "softplus" | "sigmoid";

export const activate = (activation: Activation, x: Tensor): Tensor => x[activation]();
