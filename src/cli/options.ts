import { nearestName, PushforwardError } from "../check/index.ts";
import { parseColumnList } from "../tables/options/index.ts";

/** An option of a command: how it is written, described and read. `T` is the type of its value. */
export interface Option<T = unknown> {
  /** A sentence or two for the help. */
  readonly description: string;
  /** One letter: `o` for `-o`. */
  readonly alias?: string;
  /** What stands for the value in the help. A flag has none, because it takes no value. */
  readonly valueName?: string;
  readonly required?: boolean;
  /** The default as it would be typed. */
  readonly default?: string;
  readonly choices?: readonly string[];
  /** Whether the value is a path, a comma-separated list, or a character, which may be a space. */
  readonly form?: "path" | "list" | "character";
  /** Reads the value; undefined stands for an option that is not given. `name` is the option as it was typed, such as `--rows` or `-n`. */
  read(text: string | undefined, name: string): T;
  /** Reads all values of an option that may be given several times. Others may be given once. */
  readAll?(texts: readonly string[], name: string): T;
}

/** The definition of an option that takes a value. */
interface ValueOptionDefinition extends Omit<Option, "read" | "readAll" | "choices" | "form"> {
  readonly valueName: string;
  /** A valid value for the hint of an error. Default 1. */
  readonly example?: string;
}

/** The type of a value that is undefined where an option without a default may be left out. */
type ValueOf<T, D> = D extends { required: true } | { default: string } ? T : T | undefined;

function option<T, const D extends ValueOptionDefinition>(
  definition: D,
  parse: (text: string, name: string) => T,
  more: Pick<Option, "choices" | "form"> = {},
): Option<ValueOf<T, D>> {
  const read = (text = definition.default, name = "") => (text === undefined ? undefined : parse(text, name));
  return { ...definition, ...more, read: read as Option<ValueOf<T, D>>["read"] };
}

export const flag = (description: string): Option<boolean> => ({
  description,
  read: (text) => text !== undefined,
});

export const text = <const D extends ValueOptionDefinition>(definition: D) =>
  option(definition, (value) => value);

export const path = <const D extends ValueOptionDefinition>(definition: D) =>
  option(definition, (value) => value, { form: "path" });

/** Names separated by commas; one that contains a comma is quoted as in a CSV file. */
export const names = <const D extends ValueOptionDefinition>(definition: D) =>
  option(definition, (value) => (value === "" ? [] : parseColumnList(value)), { form: "list" });

/** Texts of an option that may be given several times. */
export const texts = (
  definition: Omit<ValueOptionDefinition, "required" | "default">,
): Option<readonly string[]> => ({
  ...definition,
  read: (value) => (value === undefined ? [] : [value]),
  readAll: (values) => values,
});

export const choice = <const C extends readonly string[], const D extends ValueOptionDefinition>(
  choices: C,
  definition: D,
) =>
  option(
    definition,
    (value, name): C[number] => {
      if (choices.includes(value)) return value;
      const nearest = nearestName(value, choices);
      throw new PushforwardError("ARGUMENT", `${name} cannot be ${value}`, {
        expected: `one of ${choices.join(", ")}`,
        hint: nearest ? `Did you mean ${nearest}?` : `Choose one of them: ${name} ${choices[0]}`,
      });
    },
    { choices },
  );

/** One or more of these words, separated by commas; repetitions are removed. */
export const choices = <const C extends readonly string[], const D extends ValueOptionDefinition>(
  words: C,
  definition: D,
) => {
  const { read } = choice(words, { ...definition, required: true });
  return option(
    definition,
    (value, name): C[number][] => [...new Set(value.split(",").map((word) => read(word.trim(), name)))],
    { choices: words, form: "list" },
  );
};

/** An integer of at least `min`. */
export const integerFrom = <const D extends ValueOptionDefinition>(
  min: number,
  definition: D,
  max?: number,
) => option(definition, wholeNumberReader(min, definition, max));

/** Integers above 0 in a comma-separated list. */
export const wholeNumbers = <const D extends ValueOptionDefinition>(definition: D) => {
  const read = wholeNumberReader(1, definition);
  return option(definition, (value, name) => value.split(",").map((part) => read(part.trim(), name)), {
    form: "list",
  });
};

export const positiveNumber = <const D extends ValueOptionDefinition>(definition: D) =>
  option(definition, (value, name) => readNumber(value, name, "a number above 0", definition, (x) => x > 0));

export const numberFromZero = <const D extends ValueOptionDefinition>(definition: D) =>
  option(definition, (value, name) => readNumber(value, name, "a number from 0", definition, (x) => x >= 0));

/** Height, width and channels: `28x28x1`. */
export const imageShape = <const D extends ValueOptionDefinition>(definition: D) =>
  option(definition, (value, name): [height: number, width: number, channels: number] => {
    const [, ...sizes] = /^(\d{1,5})[x×](\d{1,5})(?:[x×](\d{1,3}))?$/i.exec(value) ?? [];
    const [height = 0, width = 0, channels = 1] = sizes.map((size) => size && Number(size));
    if (height && width && channels) return [height, width, channels];
    throw new PushforwardError("ARGUMENT", `${name} has an invalid value`, {
      expected: "height, width and channels",
      received: value,
      hint: `For example: ${name} ${definition.example}`,
    });
  });

/** A number above 0, or from 0 if `mayBeZero`, and below `limit`. */
export const fraction = <const D extends ValueOptionDefinition>(
  mayBeZero: boolean,
  definition: D,
  limit = 1,
) => {
  const expected = `a number ${mayBeZero ? "from" : "above"} 0 and below ${limit}`;
  const isValid = (x: number) => (mayBeZero ? x >= 0 : x > 0) && x < limit;
  return option(definition, (value, name) => readNumber(value, name, expected, definition, isValid));
};

const wholeNumberReader =
  (min: number, definition: ValueOptionDefinition, max = Number.MAX_SAFE_INTEGER) =>
  (value: string, name: string): number => {
    const expected = `an integer from ${min}${max < Number.MAX_SAFE_INTEGER ? ` to ${max}` : ""}`;
    const isValid = (x: number) => Number.isInteger(x) && x >= min && x <= max;
    return readNumber(value, name, expected, { example: `${Math.max(1, min)}`, ...definition }, isValid);
  };

function readNumber(
  value: string,
  name: string,
  expected: string,
  { example = "1" }: ValueOptionDefinition,
  isValid: (x: number) => boolean,
): number {
  const x = /^[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?$/i.test(value) ? Number(value) : Number.NaN;
  if (Number.isFinite(x) && isValid(x)) return x;
  throw new PushforwardError("ARGUMENT", `${name} has an invalid value`, {
    expected,
    received: value,
    hint: `For example: ${name} ${example}`,
  });
}

/** An option of every command that reads a table. */
const na = names({
  valueName: "NA,?",
  default: "",
  description:
    "Values of the table to read as missing, such as the words NA and NULL. Empty and blank fields, and NaN among numbers, always are.",
});

/** Options that say how the text of a table is read. */
export const readOptions = {
  na,
  decimal: choice([".", ","], {
    default: ".",
    valueName: "CHARACTER",
    description: "The decimal separator of a CSV file. With a comma, points may separate thousands: 1.234,5.",
  }),
  delimiter: option(
    {
      valueName: "CHARACTER",
      description: "The character between the fields of a CSV file, or \\t. Default: detected.",
    },
    (value) => (value === "\\t" ? "\t" : value),
    { form: "character" },
  ),
};

/** The values of `readOptions`, which are options of `openTable`. */
export interface ReadOptions {
  readonly na: readonly string[];
  readonly decimal: "." | ",";
  readonly delimiter: string | undefined;
}

/** The table that a command writes. */
export const outputTable = path({
  alias: "o",
  required: true,
  valueName: "OUT",
  description:
    "The table to write. The ending of its name gives the format: .csv, .tsv, .json, .jsonl (each also with .gz) or .parquet. - writes CSV to standard output.",
});

/** An option of commands that compute log-densities. */
export const strict = flag(
  "Refuses labels that training did not see, and values that the model considers impossible.",
);

/** The first argument of every command that uses a model. */
export const model = { description: "A model file that pushforward fit wrote." } as const;

/** The second argument of every command that computes log-densities. */
export const dataOfModel = {
  variadic: true,
  description:
    "A table with the columns of the model, in any order: one or more files or patterns of files, - for standard input, or a query.",
} as const;
