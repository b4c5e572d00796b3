import type { Distribution } from "../../src/distributions/index.ts";
import { parametersOf } from "../../src/nn/module.ts";
import type { Description } from "../../src/parts/description.ts";
import { Random } from "../../src/random/index.ts";
import { buildDistribution } from "../../src/tables/model/index.ts";
import { allExamples } from "../examples.ts";
import { perturb } from "../nn/perturb.ts";
import { distributionExamples } from "./examples.ts";

export interface Case {
  readonly name: string;
  readonly description: Description;
  readonly features: number;
  /** Builds the distribution with perturbed parameters. */
  build(): Distribution;
}

/** All examples of all registered distributions, for each number of features in `sizes`. */
export const distributionCases = (sizes: readonly number[]): Case[] =>
  sizes.flatMap((features) =>
    allExamples(distributionExamples, features).map(
      (description): Case => ({
        name: JSON.stringify(description).replace(/["{}]/g, ""),
        description,
        features,
        build: () => {
          const distribution = buildDistribution(description, new Random(0));
          perturb(parametersOf(distribution));
          return distribution;
        },
      }),
    ),
  );
