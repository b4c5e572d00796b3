/** What the numbers of a report mean, with their sources. */
export const DEFINITIONS: readonly (readonly [term: string, text: string])[] = [
  [
    "Log-density",
    "The logarithm of the density of the continuous values of a row, in their units, times the probability of all other values and of missing ones. Higher is better; only differences between densities of the same table mean something.",
  ],
  [
    "Two-sample test",
    "Gradient boosted trees learn to tell generated rows from real ones, in a cross-validation (Lopez-Paz and Oquab 2017). The AUROC is the probability that they score a generated row higher than a real one, with a 95% interval (DeLong et al. 1988). The detection score is 2 (1 - AUROC), at most 1.",
  ],
  [
    "Dependence",
    "For each pair of columns the correlation of ranks (Spearman), Cramér's V of labels, or the correlation ratio of ranks and labels; the mean of the absolute differences between real and generated rows.",
  ],
  [
    "Calibration",
    "The probability integral transform (PIT) is the rank of a real value among generated ones, with equal values in random order (Czado, Gneiting and Held 2009). The band is that of the beta-binomial distribution, with Bonferroni's correction for all bins of all columns.",
  ],
  [
    "Precision, recall, density, coverage",
    "The share of generated rows that are as near to a real row as its 5 nearest real neighbors; the same with the roles exchanged (Kynkäänniemi et al. 2019); how many such real rows there are, divided by 5; and the share of real rows that have such a generated row (Naeem et al. 2020). Distances are those of Gower (1971).",
  ],
  [
    "Usefulness",
    "Gradient boosted trees that predict one column from the others, trained on generated rows and tested on held-out real ones, beside trees that are trained on real rows (Esteban, Hyland and Rätsch 2017).",
  ],
  [
    "Privacy",
    "The distance (Gower 1971) of a row to the closest training row, beside that of rows that the model never saw. It measures memorization. It is no guarantee against attacks that use more than one row; differential privacy would be one.",
  ],
];
