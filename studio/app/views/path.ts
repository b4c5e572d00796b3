import type { LayeredPoints } from "../engine/messages.ts";

/**
 * The way of a point from the data to the base. All layers but the standardization act on standardized units, so the way begins
 * behind it, in the units of latent space.
 */
export const latentPath = ({ positions }: LayeredPoints): (readonly [number, number])[] =>
  positions.slice(1).map((position) => [position[0]!, position[1]!] as const);
