# Runs Stan's sampler on the posteriors of bench/posteriors.ts, and prints a table in Markdown with the same errors.
#
#     Rscript bench/posteriors/stan.R MODELS FOLDER [NAME...]
#
# MODELS is the folder posterior_database/models/stan of https://github.com/stan-dev/posteriordb, and FOLDER has its data and reference draws,
# as for bench/posteriors.ts. There are 8 chains of 1,000 draws after 1,000 steps of warm-up, with Stan's defaults. "seconds" are
# seconds of one processor, without the compilation of the model, which "compilation" has. Needs Debian's r-cran-rstan and r-cran-jsonlite.

suppressPackageStartupMessages(library(rstan))

arguments <- commandArgs(trailingOnly = TRUE)
if (length(arguments) < 2) stop("usage: Rscript bench/posteriors/stan.R MODELS FOLDER [NAME...]")
models <- arguments[1]
folder <- arguments[2]
chosen <- arguments[-(1:2)]
# The centered model of eight schools has the reference draws of the other one, which has the same posterior.
CENTERED <- "eight_schools-eight_schools_centered"
REFERENCES <- setNames("eight_schools-eight_schools_noncentered", CENTERED)

processor_seconds <- function() sum(proc.time()[c("user.self", "sys.self", "user.child", "sys.child")])

# The largest errors over the parameters of the reference.
errors_of <- function(fit, reference) {
  quantiles <- c(0.05, 0.95)
  draws <- as.matrix(fit)
  each <- sapply(colnames(reference), function(name) {
    expected <- reference[[name]]
    found <- draws[, name]
    scale <- sd(expected)
    c(
      mean = abs(mean(found) - mean(expected)) / scale,
      sd = abs(sd(found) / scale - 1),
      quantile = max(abs(quantile(found, quantiles) - quantile(expected, quantiles))) / scale
    )
  })
  apply(each, 1, max)
}

report <- function(name) {
  source_name <- if (name %in% names(REFERENCES)) REFERENCES[[name]] else name
  file <- file.path(folder, paste0(source_name, ".draws.csv.gz"))
  reference <- read.csv(gzfile(file), check.names = FALSE)
  data_name <- sub("-.*", "", name)
  data <- jsonlite::fromJSON(gzfile(file.path(folder, paste0(data_name, ".data.json.gz"))))
  start <- processor_seconds()
  model <- stan_model(file.path(models, paste0(sub("^[^-]*-", "", name), ".stan")))
  compiled <- processor_seconds()
  fit <- sampling(model, data, chains = 8, iter = 2000, warmup = 1000, cores = 1, seed = 1, refresh = 0)
  end <- processor_seconds()
  errors <- errors_of(fit, reference)
  diagnostics <- monitor(as.array(fit)[, , colnames(reference), drop = FALSE], warmup = 0, print = FALSE)
  steps <- get_sampler_params(fit, inc_warmup = TRUE)
  gradients <- sum(sapply(steps, function(chain) sum(chain[, "n_leapfrog__"])))
  cat(sprintf(
    "| %s | %.3f | %.3f | %.3f | %d | %.3f | %d | %d | %.1f | %.0f |\n",
    name, errors["mean"], errors["sd"], errors["quantile"],
    round(min(diagnostics$Bulk_ESS, diagnostics$Tail_ESS)), max(diagnostics$Rhat),
    get_num_divergent(fit), gradients, end - compiled, compiled - start
  ))
}

cat("| posterior | mean | sd | quantiles | ESS | R-hat | divergences | gradients | seconds | compilation |\n")
cat("| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |\n")
found <- sub(".draws.csv.gz", "", list.files(folder, pattern = "draws.csv.gz$"), fixed = TRUE)
for (name in c(found, CENTERED)) {
  if (length(chosen) == 0 || any(sapply(chosen, grepl, name, fixed = TRUE))) report(name)
}
