import { command } from "./command.ts";
import { type EngineValues, engineWithFloat64 } from "./engine.ts";
import { choice, flag, fraction, integerFrom, names, path } from "./options.ts";

export const infer = command({
  name: "infer",
  summary: "Draws from the posterior of a model or a simulator that a program declares.",
  positionals: {
    program: {
      description:
        "A program in TypeScript or JavaScript whose default export is a model or a simulator of pushforward/inference. It is run, so it must be your own.",
    },
  },
  options: {
    output: path({
      alias: "o",
      default: "posterior.safetensors",
      valueName: "FILE",
      description: "The model file to write: the fitted flow, over the unconstrained coordinates.",
    }),
    draws: path({
      valueName: "OUT",
      description:
        "The table to write the draws to, with a column for each number of the parameters, in the format of its ending; - for CSV on standard output.",
    }),
    corner: path({
      valueName: "PICTURE",
      description: "The picture to write, .png or .svg: draws of each pair of parameters.",
    }),
    show: names({
      valueName: "A,B",
      description: "The parameters in the picture, such as mu,theta[0]. Default: the first six.",
    }),
    observed: path({
      valueName: "DATA",
      description:
        "For a simulator: the table with the observation. It has as many numbers as a simulation returns, and they are read row by row.",
    }),
    simulations: integerFrom(10, {
      default: "10000",
      valueName: "N",
      example: "2000",
      description: "For a simulator: the number of simulations.",
    }),
    rounds: integerFrom(1, {
      default: "1",
      valueName: "N",
      example: "3",
      description:
        "For a simulator: the number of rounds. Each round after the first simulates in the region of the posterior of the round before.",
    }),
    refinement: choice(["nuts", "independence", "none"], {
      default: "nuts",
      valueName: "HOW",
      description:
        "The source of the draws: No-U-Turn chains in the latent space of the flow (nuts), chains of proposals from the flow (independence), or the flow itself, with draws resampled by their weights (none).",
    }),
    steps: integerFrom(1, {
      default: "2000",
      valueName: "N",
      example: "4000",
      description: "The number of gradient steps that fit the flow.",
    }),
    chains: integerFrom(2, {
      default: "8",
      valueName: "N",
      example: "8",
      description: "The number of chains.",
    }),
    drawsPerChain: integerFrom(10, {
      default: "500",
      valueName: "N",
      example: "2000",
      description: "The number of draws of each No-U-Turn chain.",
    }),
    targetAcceptance: fraction(false, {
      default: "0.8",
      valueName: "P",
      example: "0.95",
      description:
        "The target of the acceptance probability of trajectories. A larger one gives smaller steps.",
    }),
    seed: integerFrom(0, {
      default: "0",
      valueName: "S",
      description: "Seed of all random numbers: the same seed and number of threads give the same draws.",
    }),
    json: flag("Prints one JSON object with the summary of each parameter, the evidence and the verdict."),
    ...engineWithFloat64,
  },
  details: [
    "A flow is fitted to the posterior, and Markov chains in its latent space correct what it gets wrong. The summary has the mean, the standard deviation and quantiles of each parameter; the effective sample size (ESS), the smaller of those of the bulk and the tails; and R-hat. The verdict says which of the results to trust, and why.",
    "A simulator has priors and a function that simulates data. A flow learns its posterior from simulations (neural posterior estimation), and the verdict follows from checks of the observation and of the calibration. The options of the fit and of the chains are only for models.",
    "Node 22.18 or later reads TypeScript. An older Node needs the package esbuild or typescript, installed beside the program.",
  ],
  examples: [
    ["infer schools.ts", "A summary of the posterior, and posterior.safetensors."],
    ["infer schools.ts --draws draws.parquet --corner corner.png", "Also all draws, and a picture of them."],
    ["infer schools.ts --target-acceptance 0.95 --draws-per-chain 2000", "Smaller steps and more draws."],
    ["infer simulator.ts --observed x.csv", "The posterior of a simulator, given the numbers in x.csv."],
  ],
  async run(values, io, words) {
    const { inferPosterior } = await import("./inferPosterior.ts");
    await inferPosterior(values, io, words);
  },
});

/** The values of the options, and the path of the program. */
export type InferValues = EngineValues & {
  readonly program: string;
  readonly output: string;
  readonly draws: string | undefined;
  readonly corner: string | undefined;
  readonly show: readonly string[] | undefined;
  readonly observed: string | undefined;
  readonly simulations: number;
  readonly rounds: number;
  readonly refinement: "nuts" | "independence" | "none";
  readonly steps: number;
  readonly chains: number;
  readonly drawsPerChain: number;
  readonly targetAcceptance: number;
  readonly seed: number;
  readonly json: boolean;
};
