import type { Description, Kind } from "../../src/description.ts";
import { buildDistribution, type Distribution } from "../../src/distributions/index.ts";
import { distributionKinds } from "../../src/distributions/registry.ts";
import { parametersOf } from "../../src/nn/module.ts";
import { Random } from "../../src/random/index.ts";
import { perturb } from "../nn/perturb.ts";

export interface Case {
  readonly name: string;
  readonly description: Description;
  readonly features: number;
  /** With parameters moved from their start. */
  build(): Distribution;
}

/** Every example of every registered distribution, for rows of each of `sizes` features. */
export function distributionCases(sizes: readonly number[]): Case[] {
  const kinds: readonly Kind<Distribution>[] = distributionKinds;
  return sizes.flatMap((features) =>
    kinds.flatMap((kind) =>
      kind.examples(features).map((example): Case => {
        const description = example as Description;
        return {
          name: JSON.stringify(description).replace(/["{}]/g, ""),
          description,
          features,
          build: () => {
            const distribution = buildDistribution(description, new Random(0));
            perturb(parametersOf(distribution));
            return distribution;
          },
        };
      }),
    ),
  );
}
