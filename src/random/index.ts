export { Random } from "./random.ts";
export type { Toy } from "./toy.ts";
export { toys } from "./toys.ts";
