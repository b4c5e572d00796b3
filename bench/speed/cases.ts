import { readFileSync } from "node:fs";
import { z } from "zod";

const common = {
  name: z.string().min(1),
  /** A recipe of src/flows, such as `maf`. */
  flow: z.string().min(1),
  /** D, the number of features. */
  dim: z.int().min(2),
  transforms: z.int().positive().optional(),
  hidden: z.array(z.int().positive()).optional(),
  /** Required ratio of zuko's time to pushforward's. */
  target: z.number().positive().optional(),
};

const caseSchema = z.discriminatedUnion("job", [
  z.strictObject({ ...common, job: z.literal("train"), batch: z.int().positive() }),
  z.strictObject({ ...common, job: z.enum(["logProb", "sample"]), rows: z.int().positive() }),
]);

/** One thing to measure: a training step of `batch` rows, or the log-densities or samples of `rows` rows. */
export type Case = z.infer<typeof caseSchema>;

/** Reads cases from JSON. Names must be unique, since contestants identify cases by name. */
export const parseCases = (json: string): Case[] =>
  z
    .array(caseSchema)
    .refine((cases) => new Set(cases.map(({ name }) => name)).size === cases.length, {
      error: "two cases have one name",
    })
    .parse(JSON.parse(json));

/** The cases whose name contains the pattern or, if none does, matches it as a regular expression. */
export function selectCases(cases: readonly Case[], pattern = ""): Case[] {
  const literal = cases.filter(({ name }) => name.includes(pattern));
  const chosen = literal.length > 0 ? literal : cases.filter(({ name }) => new RegExp(pattern).test(name));
  if (chosen.length > 0) return chosen;
  throw new Error(`no case matches ${pattern}; there are:\n${cases.map(({ name }) => name).join("\n")}`);
}

/** The cases of bench/cases.json that `selectCases` selects. */
export const loadCases = (pattern?: string): Case[] =>
  selectCases(parseCases(readFileSync(new URL("../cases.json", import.meta.url), "utf8")), pattern);
