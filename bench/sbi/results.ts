import { mean, standardError } from "../papers/statistics.ts";
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
      const average = `${mean(accuracies).toFixed(3)} ± ${standardError(accuracies).toFixed(3)}`;
      return [
        [title, accuracies.map((each) => each.toFixed(3)).join(" "), average, `${published[count] ?? ""}`],
      ];
    });
    const head = ["task", "C2ST by observation", "mean", "published NPE"];
    return `## ${count.toLocaleString("en")} simulations\n\n${table(head, rows)}`;
  });
  return `# Posteriors of simulators

Written by \`npm run bench:sbi\` (bench/sbi.ts). \`fitPosterior\` with its defaults and seed 0 fits the posteriors of tasks of the SBI benchmark
(Lueckmann et al. 2021), and 10,000 draws for each of the observations 1 to 5 are compared with the 10,000 reference draws by the classifier
two-sample test of the benchmark (C2ST): the accuracy, in five-fold cross-validation, of a classifier that separates the two sets of draws.
An accuracy of 0.5, that of guessing, is the best value, and 1 the worst. One fit serves all observations of a task. The defaults were
chosen by the log-density of held-out simulations with other seeds, and not by these observations.

Means are over observations, ± their standard errors, which do not include the variation of simulations and of training. Published means of
neural posterior estimation (NPE) are over the observations 1 to 10.

${tables.join("\n\n")}
`;
}
