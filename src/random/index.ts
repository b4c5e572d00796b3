export { Random } from "./random.ts";
export { RandomStream } from "./randomStream.ts";
export type { Toy } from "./toy.ts";
export { toys } from "./toys.ts";
