/** What a user should know about log-densities under a flow over dequantized columns. */
export const BOUND_NOTE =
  "Log-densities are lower bounds, because uniform noise is added to values that have no density (dequantization).";
