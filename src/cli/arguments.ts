import { homedir } from "node:os";
import { type ErrorDetails, expandAbbreviation, nearestName, PushforwardError } from "../check/index.ts";
import type { Option } from "./options.ts";
import { program } from "./program.ts";

/** A positional argument, such as MODEL: it is recognized by its position and not by a name. */
export interface Positional {
  readonly description: string;
  /** Whether it takes one or more words. Only the last positional argument of a command may. */
  readonly variadic?: boolean;
  /** Whether it may be left out. Only the last positional arguments of a command may. */
  readonly optional?: boolean;
}

/** The positional arguments and options of a command. */
export interface Syntax {
  readonly name: string;
  /** By name, in the order of the command line. Help and errors write `model` as MODEL. */
  readonly positionals: Readonly<Record<string, Positional>>;
  /** By name in camel case: `maxMinutes` is written `--max-minutes`. */
  readonly options: Readonly<Record<string, Option>>;
}

/** The values of the positional arguments and options of a command. */
export type Values<S extends Pick<Syntax, "positionals" | "options">> = {
  readonly [K in keyof S["positionals"]]: S["positionals"][K] extends { variadic: true }
    ? string[]
    : S["positionals"][K] extends { optional: true }
      ? string | undefined
      : string;
} & {
  readonly [K in keyof S["options"]]: S["options"][K] extends Option<infer T> ? T : never;
};

export const optionName = (key: string): string => key.replace(/[A-Z]/g, (c) => `-${c.toLowerCase()}`);

/** A positional argument as help and errors write it: `MODEL`, `DATA...` for one word or more, or `[MODEL]` if it may be left out. */
export const positionalName = ([key, { variadic, optional }]: readonly [string, Positional]): string => {
  const name = `${key.toUpperCase()}${variadic ? "..." : ""}`;
  return optional ? `[${name}]` : name;
};

/**
 * Parses the words after the name of a command. An option may be written `--seed 1`, `--seed=1`, `-n 5`, `-n=5` or `-n5`. All
 * words after `--` are positional arguments, and so is `-`, which stands for standard input.
 *
 * @throws ARGUMENT for an option that is unknown, missing, given twice, without a value or with a superfluous one, for an
 *   invalid value, and for too many or too few positional arguments.
 */
export function parseArguments<S extends Syntax>(syntax: S, words: readonly string[]): Values<S> {
  const texts = new Map<string, string[]>();
  /** The options as they were typed: `--rows` or `-n`. */
  const typed = new Map<string, string>();
  const positionals: string[] = [];
  for (let i = 0; i < words.length; i++) {
    const word = words[i]!;
    if (word === "--") {
      positionals.push(...words.slice(i + 1));
      break;
    }
    if (!word.startsWith("-") || word === "-") {
      positionals.push(word);
      continue;
    }
    const { key, option, attached } = findOption(syntax, word);
    const name = `--${optionName(key)}`;
    const before = texts.get(key) ?? [];
    if (before.length > 0 && !option.readAll)
      throw argumentError(syntax, `${name} is given twice`, { hint: "Give it once." });
    if (option.valueName === undefined) {
      if (attached !== undefined)
        throw argumentError(syntax, `${name} takes no value`, { received: attached });
      texts.set(key, [""]);
      continue;
    }
    // The next word is the value even if it starts with a dash: `-o -` writes to standard output, and columns may be called -x.
    const value = attached === undefined ? words[++i] : expandHome(attached, option);
    if (!value || (option.form !== "character" && value.trim() === ""))
      throw argumentError(syntax, `${name} needs a value`);
    // In `--columns a, b`, the shell splits the list into two words, of which the second would become a positional argument.
    if (option.form === "list" && /,\s*$/.test(value)) {
      throw argumentError(syntax, `The list of ${name} ends in a comma`, {
        hint: `Write it without spaces, or in quotes: ${name} ${option.valueName}`,
      });
    }
    texts.set(key, [...before, value]);
    typed.set(key, word.startsWith("--") ? name : `-${option.alias}`);
  }
  checkPositionals(syntax, positionals);
  const values: Record<string, unknown> = {};
  for (const [i, [key, { variadic }]] of Object.entries(syntax.positionals).entries()) {
    values[key] = variadic ? positionals.slice(i) : positionals[i];
  }
  for (const [key, option] of Object.entries(syntax.options)) {
    if (option.required && !texts.has(key)) throw missingOption(syntax, key, option);
    const given = texts.get(key) ?? [];
    const name = typed.get(key) ?? `--${optionName(key)}`;
    values[key] = option.readAll ? option.readAll(given, name) : option.read(given[0], name);
  }
  return values as Values<S>;
}

/** An error of code ARGUMENT, with a reference to the help of the command unless `details` have another hint. */
const argumentError = ({ name }: Syntax, what: string, details?: ErrorDetails): PushforwardError =>
  new PushforwardError("ARGUMENT", what, { hint: `See ${program()} ${name} --help.`, ...details });

/** The option that a word names, and the value that is attached to it, as in `--seed=1` or `-n5`. */
function findOption(
  syntax: Syntax,
  word: string,
): { key: string; option: Option; attached: string | undefined } {
  const [, long, longValue] = /^--([^=]+)(?:=(.*))?$/s.exec(word) ?? [];
  const [, short, afterEquals, shortValue = afterEquals] = /^-([^-])(?:=(.*)|(.+))?$/s.exec(word) ?? [];
  for (const [key, option] of Object.entries(syntax.options)) {
    if (optionName(key) === long) return { key, option, attached: longValue };
    if (short !== undefined && option.alias === short) return { key, option, attached: shortValue };
  }
  const unknown = word.replace(/=.*/s, "");
  const typed = unknown.replace(/^-+/, "");
  const names = Object.keys(syntax.options).map(optionName);
  const nearest = nearestName(typed, [...names, "help"]) ?? expandAbbreviation(typed, names);
  const what = `pushforward ${syntax.name} has no option ${unknown}`;
  throw argumentError(syntax, what, nearest ? { hint: `Did you mean --${nearest}?` } : {});
}

/**
 * Replaces `~` at the start of a path by the home directory. Shells do so only at the start of a word, so the path in `-o=~/x.csv`
 * arrives here unchanged.
 */
const expandHome = (value: string, { form }: Option): string =>
  form === "path" ? value.replace(/^~(?=\/|$)/, homedir) : value;

function checkPositionals(syntax: Syntax, received: readonly string[]): void {
  const entries = Object.entries(syntax.positionals);
  const names = entries.map(([key]) => key.toUpperCase());
  const { name } = syntax;
  const required = entries.filter(([, { optional }]) => !optional).length;
  if (received.length < required) {
    throw argumentError(
      syntax,
      `pushforward ${name} needs ${names.slice(received.length, required).join(" and ")}`,
      {
        hint: `Write ${usage(syntax)}, or see ${program()} ${name} --help.`,
      },
    );
  }
  if (received.length <= names.length || entries.at(-1)?.[1].variadic) return;
  const more = received.slice(names.length).join(" ");
  if (names.length === 0) {
    throw argumentError(syntax, `pushforward ${name} takes no arguments, but received ${more}`, {
      hint: `Write ${usage(syntax)}`,
    });
  }
  const count = names.length === 1 ? "one argument" : `${names.length} arguments`;
  throw argumentError(syntax, `pushforward ${name} takes ${count}, but also received ${more}`, {
    hint: `Write ${usage(syntax)}, and quote names that contain spaces.`,
  });
}

function missingOption(syntax: Syntax, key: string, { alias, valueName }: Option): PushforwardError {
  const example = `${alias ? `-${alias}` : `--${optionName(key)}`} ${valueName}`;
  return argumentError(syntax, `pushforward ${syntax.name} needs --${optionName(key)}`, {
    hint: `Write ${usage(syntax)} ${example}, or see ${program()} ${syntax.name} --help.`,
  });
}

const usage = ({ name, positionals }: Syntax): string =>
  [program(), name, ...Object.entries(positionals).map(positionalName)].join(" ");
