import type { Random } from "./random.ts";

/** The upper 53 bits of the seed of a generator, which a number holds exactly. */
export const numberSeed = ({ seed }: Random): number => Number(seed >> 11n);
