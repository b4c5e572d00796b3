/** What the numbers of a report mean, with their sources. */
export const DEFINITIONS: readonly (readonly [term: string, text: string])[] = [
  [
    "Log-density",
    "The logarithm of the density of the continuous values of a row, in their units, times the probability of all other values and of missing ones. Higher is better. Only log-densities of the same table can be compared.",
  ],
  [
    "Two-sample test",
    "Gradient boosted trees learn to tell generated rows from real ones, in a cross-validation (Lopez-Paz and Oquab 2017). The AUROC is the probability that they score a generated row higher than a real one, with a 95% interval that accounts for the training rows that folds share (DeLong et al. 1988; Nadeau and Bengio 2003). The detection score is 2 (1 - AUROC), at most 1.",
  ],
  [
    "Dependence",
    "Each pair of columns has a correlation of ranks (Spearman), Cramér's V of labels, or a correlation ratio of ranks and labels. The mean difference is the mean over all pairs of the absolute differences between real and generated rows.",
  ],
  [
    "Calibration",
    "The probability integral transform (PIT) is the rank of a real value among generated ones, with equal values in random order (Czado, Gneiting and Held 2009). The limits of the band are quantiles of the beta-binomial distribution, or for calibration given all other columns of the binomial distribution, with Bonferroni's correction for all bins of all columns.",
  ],
  [
    "Precision, recall, density, coverage",
    "The ball of a row reaches to its 5th nearest neighbor in the same table. Precision is the share of generated rows in the ball of a real row, recall the share of real rows in the ball of a generated row (Kynkäänniemi et al. 2019), density the mean number of balls of real rows around a generated row, divided by 5, and coverage the share of real rows with a generated row in their ball (Naeem et al. 2020). Distances are those of Gower (1971).",
  ],
  [
    "Usefulness",
    "Gradient boosted trees predict one column from the others. They are trained on generated rows and tested on held-out real ones, and compared with trees that are trained on real rows (Esteban, Hyland and Rätsch 2017).",
  ],
  [
    "Privacy",
    "The distance (Gower 1971) of a row to the closest training row is compared with the distances of held-out rows. It measures memorization. It is no guarantee against attacks that use more than one row; differential privacy would be one.",
  ],
];
