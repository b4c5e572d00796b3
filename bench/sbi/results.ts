import { withError } from "../papers/statistics.ts";
import { table } from "../speed/table.ts";

/** The results of one fit. */
export interface Run {
  /** The name of the task's folder. */
  readonly task: string;
  readonly simulations: number;
  readonly seed: number;
  /** The mean log-density of held-out simulations, in nats. */
  readonly validationLogDensity: number;
  /** C2ST of the observations 1, 2... that were compared so far. */
  readonly accuracies: number[];
}

/** Titles, and the published mean C2ST of neural posterior estimation by the number of simulations. */
const TASKS: Readonly<Record<string, { title: string; published: Readonly<Record<number, number>> }>> = {
  two_moons: { title: "two moons", published: { 1000: 0.725, 10000: 0.606 } },
  gaussian_mixture: { title: "Gaussian mixture", published: { 1000: 0.716, 10000: 0.615 } },
  slcp: { title: "SLCP", published: { 1000: 0.975, 10000: 0.901 } },
  gaussian_linear: { title: "Gaussian linear", published: { 1000: 0.694, 10000: 0.552 } },
  gaussian_linear_uniform: {
    title: "Gaussian linear uniform",
    published: { 1000: 0.696, 10000: 0.553 },
  },
  bernoulli_glm: { title: "Bernoulli GLM", published: { 1000: 0.863, 10000: 0.678 } },
};

/** RESULTS.md, with a table for each number of simulations. */
export function resultsPage(runs: readonly Run[]): string {
  const counts = [...new Set(runs.map(({ simulations }) => simulations))].sort((a, b) => a - b);
  const tables = counts.map((count) => {
    const rows = Object.entries(TASKS).flatMap(([name, { title, published }]) => {
      const run = runs.find(({ task, simulations }) => task === name && simulations === count);
      if (!run) return [];
      const { accuracies } = run;
      const each = accuracies.map((accuracy) => accuracy.toFixed(3)).join(" ");
      return [[title, each, withError(accuracies, 3), `${published[count] ?? ""}`]];
    });
    const head = ["task", "C2ST by observation", "mean", "published NPE"];
    return `## ${count.toLocaleString("en")} simulations\n\n${table(head, rows)}`;
  });
  return `# Posteriors of simulators

Written by \`npm run bench:sbi\` (bench/sbi.ts). \`fitPosterior\` with its defaults and seed 0 fits the posteriors of tasks of the SBI benchmark
(Lueckmann et al. 2021), and 10,000 draws for an observation are compared with the 10,000 reference draws by the classifier two-sample test
of the benchmark (C2ST): the accuracy, in five-fold cross-validation, of a classifier that separates the two sets of draws. An accuracy of
0.5, that of guessing, is the best value, and 1 the worst. One fit serves all observations of a task. The defaults were chosen by the
log-density of held-out simulations with other seeds, and not by these observations.

Accuracies are those of the observations 1, 2... in this order. Means have their standard errors over observations, which do not include the
variation of simulations and of training. Published means of neural posterior estimation (NPE) are over ten observations.

${tables.join("\n\n")}

## Checks

These were measured on 2026-11-27 (commit 7a9c5126), not in the run of the tables above.

**The classifier** of the benchmark is scikit-learn's \`MLPClassifier\`; here it is written with this library. Both were applied to the same
draws of two moons with 1,000 simulations, with several seeds of the classifiers:

| observation |        scikit-learn | this library |
| ----------- | ------------------: | -----------: |
| 2           | 0.572, 0.578, 0.587 | 0.588, 0.586 |
| 3           | 0.612, 0.591, 0.601 | 0.597, 0.603 |

So accuracies vary by about 0.01 with the random numbers of the classifier. For SLCP and the Gaussian mixture with 1,000 simulations, the two
classifiers differ by at most 0.003.

**The simulators**: data were simulated at the true parameters of each of the 30 observations. No value of an observation is more than three
standard deviations from the mean of the simulated values.
`;
}
