# Writes paretoShape.json: Pareto k-hat by the R package loo (Vehtari et al. 2024) of log-weights that formulas give.
#
#     apt-get install r-cran-loo && Rscript paretoShape.R > paretoShape.json
suppressPackageStartupMessages(library(loo))

# Evenly distributed numbers in (0, 1), in the order of multiples of the golden ratio.
even <- function(n) (seq_len(n) * 0.6180339887498949) %% 1
# Log-weights of N(0, 1) for draws of N(0, scale^2): bounded weights for scale > 1, heavy tails for scale < 1.
normal <- function(n, scale) 0.5 * qnorm(even(n))^2 * (1 - scale^2)
pareto <- function(n, shape) -shape * log(even(n))

cases <- list(
  list(family = "pareto", n = 100, parameter = 0.4), list(family = "pareto", n = 1000, parameter = 0.1),
  list(family = "pareto", n = 1000, parameter = 0.7), list(family = "pareto", n = 10000, parameter = 1.2),
  list(family = "normal", n = 30, parameter = 0.8), list(family = "normal", n = 1000, parameter = 0.5),
  list(family = "normal", n = 4000, parameter = 0.9), list(family = "normal", n = 4000, parameter = 1.5)
)
lines <- sapply(cases, function(case) {
  logWeights <- match.fun(case$family)(case$n, case$parameter)
  k <- suppressWarnings(psis(logWeights, r_eff = 1))$diagnostics$pareto_k
  sprintf('  { "family": "%s", "n": %d, "parameter": %s, "k": %.12f }', case$family, case$n, format(case$parameter), k)
})
cat("[\n", paste(lines, collapse = ",\n"), "\n]\n", sep = "")
