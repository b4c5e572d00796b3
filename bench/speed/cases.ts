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
  /** What zuko's time over ours has to reach. */
  target: z.number().positive().optional(),
};

const caseSchema = z.discriminatedUnion("job", [
  z.strictObject({ ...common, job: z.literal("train"), batch: z.int().positive() }),
  z.strictObject({ ...common, job: z.enum(["logProb", "sample"]), rows: z.int().positive() }),
]);

/** One thing to measure: a training step, or the log-densities or samples of so many rows. */
export type Case = z.infer<typeof caseSchema>;

/** Reads cases from JSON; names are unique, since contestants tell cases apart by them. */
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

/** The cases of bench/cases.json that the pattern picks. */
export const loadCases = (pattern?: string): Case[] =>
  selectCases(parseCases(readFileSync(new URL("../cases.json", import.meta.url), "utf8")), pattern);
