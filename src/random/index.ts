/** Stateless Philox generators, and toy distributions. */

export { kernelCode } from "./kernel.ts";
export { numberSeed } from "./numberSeed.ts";
export { Random } from "./random.ts";
export { RandomStream } from "./randomStream.ts";
export type { Toy } from "./toy.ts";
export { toys } from "./toys.ts";
