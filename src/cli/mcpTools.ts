import * as z from "zod/mini";
import { PushforwardError, parse } from "../check/index.ts";
import { joinColumnList } from "../tables/options/index.ts";
import type { AllowedDirectories } from "./allowedDirectories.ts";
import { readModel } from "./model.ts";

/** A tool of an assistant: a command of pushforward with some of its options. */
export interface Tool {
  readonly name: string;
  readonly description: string;
  /** The JSON schema of its arguments. */
  readonly inputSchema: { readonly type: "object"; readonly [key: string]: unknown };
  /** Whether it writes no files. */
  readonly isReadOnly: boolean;
  /**
   * The command line that the tool runs for these arguments. Values are attached to their options and paths follow `--`, so no argument
   * can be another option.
   *
   * @throws ARGUMENT, and FILE for a file outside of the directories.
   */
  words(args: unknown, directories: AllowedDirectories): Promise<string[]>;
}

const text = (description: string) => z.string().check(z.minLength(1), z.describe(description));
const count = (description: string, minimum = 1) =>
  z.optional(z.int().check(z.minimum(minimum), z.describe(description)));
const list = () => z.array(z.string().check(z.minLength(1)));
const names = (description: string) => z.optional(list().check(z.describe(description)));
const output = (description: string) => z.optional(text(description));

const model = text("The model file, which the tool fit wrote.");
const data = list().check(
  z.minLength(1),
  z.describe("Files that are read as one table: CSV, TSV, JSON, JSON Lines or Parquet."),
);
const na = names("Values of the table to read as missing, beside empty ones.");
const columns = names("The columns to use. Default: all.");
const exclude = names("Columns not to use.");
const kinds = z.optional(
  z
    .record(z.string(), z.string())
    .check(
      z.describe("The kinds of columns, where the inferred ones are wrong, such as { zip: 'categorical' }."),
    ),
);
const seed = count("The seed of all random numbers. Default 0.", 0);
const table =
  "The new table to write: .csv, .tsv, .json, .jsonl or .parquet. Without it, the rows are in the answer.";

/** Defines a tool by the schema of its arguments. */
function tool<S extends z.core.$ZodShape>(
  name: string,
  description: string,
  shape: S,
  words: (
    args: z.output<z.ZodMiniObject<S, z.core.$strict>>,
    directories: AllowedDirectories,
  ) => Promise<string[]>,
): Tool {
  const schema = z.strictObject(shape);
  const { $schema: _, ...inputSchema } = z.toJSONSchema(schema, { io: "input" });
  return {
    name,
    description,
    inputSchema: inputSchema as Tool["inputSchema"],
    isReadOnly: !("output" in shape),
    words: async (args, directories) => [
      name,
      ...(await words(parse(schema, args, `a call of ${name}`), directories)),
    ],
  };
}

/** An option with its value, if there is one and it is not an empty list. A list is written as in CSV. */
function option(name: string, value: string | number | readonly string[] | undefined): string[] {
  if (value === undefined || (typeof value === "object" && value.length === 0)) return [];
  return [`--${name}=${typeof value === "object" ? joinColumnList(value) : value}`];
}

const kindWords = (kinds: Readonly<Record<string, string>> = {}): string[] =>
  Object.entries(kinds).flatMap(([name, kind]) => option("column", `${name}=${kind}`));

const outputWords = async (
  path: string | undefined,
  directories: AllowedDirectories,
  absent: readonly string[] = [],
) => (path === undefined ? absent : option("output", await directories.newFile(path)));

/** The positional arguments of a command: `--` and the paths of files in the directories. */
async function files(directories: AllowedDirectories, ...paths: readonly string[]): Promise<string[]> {
  const found: string[] = [];
  for (const path of paths) found.push(await directories.existingFile(path));
  return ["--", ...found];
}

/** The arguments of a tool that reads a model and a table. */
interface ModelAndTable {
  readonly model: string;
  readonly data: readonly string[];
  readonly output?: string | undefined;
  readonly na?: readonly string[] | undefined;
  readonly seed?: number | undefined;
}

/** The words of a command that reads a model and a table. `absent` has the words that replace --output if no output is named. */
const modelAndTableWords = async (
  { model, data, output, na, seed }: ModelAndTable,
  directories: AllowedDirectories,
  absent: string[] = [],
): Promise<string[]> => [
  ...(await outputWords(output, directories, absent)),
  ...option("na", na),
  ...option("seed", seed),
  ...(await files(directories, model, ...data)),
];

/**
 * The values of `--given`. The names must be those of columns that can be given: the command would take another text for a query or the name
 * of a table, and read files outside of the directories.
 */
async function givenWords(
  given: Readonly<Record<string, string | number | boolean | null>> | undefined,
  modelPath: string,
): Promise<string[]> {
  if (!given || Object.keys(given).length === 0) return [];
  const loaded = await readModel(modelPath);
  const known = loaded.given.length > 0 ? loaded.given : (loaded.table ?? []).map(({ name }) => name);
  const unknown = Object.keys(given).find((name) => !known.includes(name) || name !== name.trim());
  if (unknown !== undefined) {
    throw new PushforwardError("ARGUMENT", `the model has no column "${unknown}" that can be given`, {
      expected: known.length > 0 ? known.join(", ") : "no given values",
      hint: "Call inspect to see the columns of the model.",
    });
  }
  return option(
    "given",
    Object.entries(given).map(([name, value]) => `${name}=${value ?? ""}`),
  );
}

/** What each tool does, in the order in which an assistant needs them. */
export const TOOLS: readonly Tool[] = [
  tool(
    "columns",
    "Shows the type of each column of a table, the kind that decides how its values are modelled, the missing values and the range. Look at it before fit.",
    { data, columns, exclude, kinds, na },
    async (args, directories) => [
      ...option("columns", args.columns),
      ...option("exclude", args.exclude),
      ...kindWords(args.kinds),
      ...option("na", args.na),
      ...(await files(directories, ...args.data)),
    ],
  ),
  tool(
    "fit",
    "Learns the probability distribution of the rows of a table, and writes a model file. It may take minutes; max_minutes limits it. A tenth of the rows tests the model.",
    {
      data,
      output: text("The model file to write, which ends in .safetensors."),
      columns,
      exclude,
      kinds,
      given: names("Columns that the others are conditional on."),
      na,
      seed,
      epochs: count("The maximum number of passes over the rows."),
      max_minutes: z.optional(
        z.number().check(z.positive(), z.describe("The maximum number of minutes of training. Default 10.")),
      ),
      keep_rows: z.optional(
        z
          .boolean()
          .check(
            z.describe(
              "Whether the model file stores training rows, which make the model more exact. false stores no training rows. Default true.",
            ),
          ),
      ),
      resume: z.optional(
        z
          .boolean()
          .check(
            z.describe(
              "Continues the training run of this output that was interrupted or ended by max_minutes. The other arguments must be the same, except for a larger max_minutes.",
            ),
          ),
      ),
    },
    async (args, directories) => [
      ...option("output", await directories.newFile(args.output, { isContinued: args.resume === true })),
      ...option("columns", args.columns),
      ...option("exclude", args.exclude),
      ...kindWords(args.kinds),
      ...option("given", args.given),
      ...option("na", args.na),
      ...option("seed", args.seed),
      ...option("epochs", args.epochs),
      ...option("max-minutes", args.max_minutes ?? 10),
      ...(args.keep_rows === false ? ["--no-kernel"] : []),
      ...(args.resume ? ["--resume"] : []),
      ...(await files(directories, ...args.data)),
    ],
  ),
  tool(
    "inspect",
    "Shows what is in a model file: its columns, its flow and how it was trained.",
    { model },
    (args, directories) => files(directories, args.model),
  ),
  tool(
    "report",
    "Tests a model on held-out rows, and says what failed and what is uncertain. Of the training table, these are the test rows and, if there are fewer than 100, also the validation rows.",
    { model, data, output: text("The page to write, whose name ends in .html."), na, seed },
    (args, directories) => modelAndTableWords(args, directories),
  ),
  tool(
    "score",
    "Computes the log-density of each row of a table, in nats: the lower it is, the more unusual the row is.",
    { model, data, output: output(table), na },
    (args, directories) => modelAndTableWords(args, directories, ["--output=-"]),
  ),
  tool(
    "anomalies",
    "Finds the most unusual rows of a table, with p-values, and the columns that make them unusual.",
    {
      model,
      data,
      rows: count("The maximum number of rows to report. Default 20."),
      fdr: z.optional(
        z
          .number()
          .check(
            z.gt(0),
            z.lt(1),
            z.describe("Reports only rows of which at most this fraction is expected to be false alarms."),
          ),
      ),
      output: output("A new table with all rows and their p-values: .csv, .tsv, .json, .jsonl or .parquet."),
      na,
    },
    async (args, directories) => [
      ...option("rows", args.rows),
      ...option("fdr", args.fdr),
      ...(await modelAndTableWords(args, directories)),
    ],
  ),
  tool(
    "sample",
    "Generates rows from a model. With given values, the other columns are conditional on them.",
    {
      model,
      rows: count("The number of rows. Default 20."),
      given: z.optional(
        z
          .record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null()]))
          .check(
            z.describe(
              "Values of columns, such as { region: 'north' }. null states that the value is missing.",
            ),
          ),
      ),
      seed,
      output: output(table),
    },
    async (args, directories) => {
      const [, path] = await files(directories, args.model);
      return [
        ...option("rows", args.rows ?? 20),
        ...(await givenWords(args.given, path!)),
        ...option("seed", args.seed),
        ...(await outputWords(args.output, directories)),
        "--",
        path!,
      ];
    },
  ),
  tool(
    "impute",
    "Replaces the missing values of a table by values drawn from a model, conditional on the observed values of the row.",
    { model, data, output: output(table), seed, na },
    (args, directories) => modelAndTableWords(args, directories, ["--output=-"]),
  ),
];
