import { type Bijection, buildBijection } from "../../src/bijections/index.ts";
import { bijectionKinds } from "../../src/bijections/registry.ts";
import type { Description, Kind } from "../../src/description.ts";
import { Random } from "../../src/random/index.ts";

export interface Case {
  readonly name: string;
  readonly description: Description;
  readonly features: number;
  /** Where data lie, if not anywhere. */
  readonly support: string | undefined;
  /** The same bijection at each call; its starting weights come from `seed`. */
  build(seed?: number): Bijection;
}

/** Every example of every registered bijection, for rows of each of `sizes` features. */
export function bijectionCases(sizes: readonly number[]): Case[] {
  const kinds: readonly Kind<Bijection>[] = bijectionKinds;
  return sizes.flatMap((features) =>
    kinds.flatMap((kind) =>
      kind.examples(features).map((example): Case => {
        const description = example as Description;
        return {
          name: `${features}D ${label(description)}`,
          description,
          features,
          support: kind.about.support,
          build: (seed = 0) => buildBijection(description, new Random(seed)),
        };
      }),
    ),
  );
}

/** The description without quotes and braces. */
const label = (description: unknown): string => JSON.stringify(description).replace(/["{}]/g, "");
