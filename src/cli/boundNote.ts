/** What a user should know about log-densities under a flow over dequantized columns. */
export const BOUND_NOTE =
  "Log-densities are lower bounds, because the flow sees values without a density with uniform noise (dequantization).";
