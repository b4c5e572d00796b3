import type { LatentTrajectories } from "../engine/messages.ts";

/**
 * The path of the first point to latent space. It starts after the standardization, because the other layers act on standardized
 * values, which have the scale of latent space.
 */
export const latentPath = ({ positions }: LatentTrajectories): (readonly [number, number])[] =>
  positions.slice(1).map((position) => [position[0]!, position[1]!] as const);
