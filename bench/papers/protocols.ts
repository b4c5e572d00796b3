import type { Protocol } from "./protocol.ts";
import { rnade } from "./protocols/rnade.ts";

/** All protocols, by the alphabet. */
export const protocols: readonly Protocol[] = [rnade];
