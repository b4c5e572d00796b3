/** The names of the members of the default model of a small table of real numbers. */
export const MEMBERS_OF_REAL_COLUMNS = [
  "autoregressive",
  "latent-classes",
  "gaussian-mixture",
  "kernel-density",
  "correlated-kernels",
  "affine",
  "splines",
  "mixture",
];
