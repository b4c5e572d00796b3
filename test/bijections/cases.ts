import { type Bijection, buildBijection } from "../../src/bijections/index.ts";
import type { Description } from "../../src/parts/description.ts";
import { Random } from "../../src/random/index.ts";
import { allExamples } from "../examples.ts";
import { bijectionExamples } from "./examples.ts";

export interface Case {
  readonly name: string;
  readonly description: Description;
  readonly features: number;
  /** Whether the bijection maps onto a part of space only. */
  readonly hasSupport: boolean;
  /** The same bijection at each call; its starting weights come from `seed`. */
  build(seed?: number): Bijection;
}

/** Every example of every registered bijection, for rows of each of `sizes` features. */
export const bijectionCases = (sizes: readonly number[]): Case[] =>
  sizes.flatMap((features) =>
    allExamples(bijectionExamples, features).map((description): Case => {
      const build = (seed = 0) => buildBijection(description, new Random(seed));
      const hasSupport = build().support !== undefined;
      return { name: `${features}D ${label(description)}`, description, features, hasSupport, build };
    }),
  );

/** The description without quotes and braces. */
const label = (description: Description): string => JSON.stringify(description).replace(/["{}]/g, "");
