import { homedir } from "node:os";
import { type ErrorDetails, PushforwardError } from "../errors.ts";
import { expandAbbreviation, nearestName } from "../nearestName.ts";
import type { Option } from "./options.ts";
import { program } from "./program.ts";

/** A positional argument. */
export interface Positional {
  readonly description: string;
  /** Whether it takes one word or more; only the last one may. */
  readonly several?: boolean;
}

/** What a command line consists of after the name of the command. */
export interface Syntax {
  readonly name: string;
  /** By name, in their order: `model` stands for MODEL. */
  readonly positionals: Readonly<Record<string, Positional>>;
  /** By name in camel case: `maxMinutes` is written `--max-minutes`. */
  readonly options: Readonly<Record<string, Option>>;
}

/** The values of the arguments and options of a command. */
export type Values<S extends Pick<Syntax, "positionals" | "options">> = {
  readonly [K in keyof S["positionals"]]: S["positionals"][K] extends { several: true } ? string[] : string;
} & {
  readonly [K in keyof S["options"]]: S["options"][K] extends Option<infer T> ? T : never;
};

export const optionName = (key: string): string => key.replace(/[A-Z]/g, (c) => `-${c.toLowerCase()}`);

/** A positional argument as help and errors write it: `MODEL`, or `DATA...` for one word or more. */
export const positionalName = ([key, { several }]: readonly [string, Positional]): string =>
  `${key.toUpperCase()}${several ? "..." : ""}`;

/**
 * Parses the words after the name of a command. An option may be written `--seed 1`, `--seed=1`, `-n 5`, `-n=5` or `-n5`; all
 * words after `--` are arguments.
 *
 * @throws ARGUMENT for an option that is unknown, missing, given twice, without a value or with a superfluous one, for a value
 *   that is not valid, and for too many or too few arguments.
 */
export function parseArguments<S extends Syntax>(syntax: S, words: readonly string[]): Values<S> {
  const texts = new Map<string, string>();
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
    const flag = `--${optionName(key)}`;
    if (texts.has(key)) throw refuse(syntax, `${flag} is given twice`, { hint: "Give it once." });
    if (option.valueName === undefined) {
      if (attached !== undefined) throw refuse(syntax, `${flag} takes no value`, { received: attached });
      texts.set(key, "");
      continue;
    }
    const value = attached === undefined ? words[++i] : withHome(attached, option);
    if (!value?.trim()) throw refuse(syntax, `${flag} needs a value`);
    if (option.form === "list" && /,\s*$/.test(value)) {
      throw refuse(syntax, `The list of ${flag} ends in a comma`, {
        hint: `Write it without spaces, or in quotes: ${flag} ${option.valueName}`,
      });
    }
    texts.set(key, value);
  }
  checkPositionals(syntax, positionals);
  const values: Record<string, unknown> = {};
  for (const [i, [key, { several }]] of Object.entries(syntax.positionals).entries()) {
    values[key] = several ? positionals.slice(i) : positionals[i];
  }
  for (const [key, option] of Object.entries(syntax.options)) {
    if (option.required && !texts.has(key)) throw missingOption(syntax, key, option);
    values[key] = option.read(texts.get(key), optionName(key));
  }
  return values as Values<S>;
}

const refuse = ({ name }: Syntax, what: string, details?: ErrorDetails): PushforwardError =>
  new PushforwardError("ARGUMENT", what, { hint: `See ${program()} ${name} --help.`, ...details });

/** The option that a word names, and the value that the word itself contains. */
function findOption(
  syntax: Syntax,
  word: string,
): { key: string; option: Option; attached: string | undefined } {
  const [, long, longValue] = /^--([^=]+)(?:=(.*))?$/s.exec(word) ?? [];
  const [, short, shortValue] = /^-([^-])(?:=?(.+))?$/s.exec(word) ?? [];
  for (const [key, option] of Object.entries(syntax.options)) {
    if (optionName(key) === long) return { key, option, attached: longValue };
    if (short !== undefined && option.alias === short) return { key, option, attached: shortValue };
  }
  const flag = word.replace(/=.*/s, "");
  const typed = flag.replace(/^-+/, "");
  const names = Object.keys(syntax.options).map(optionName);
  const nearest = nearestName(typed, [...names, "help"]) ?? expandAbbreviation(typed, names);
  const what = `pushforward ${syntax.name} has no option ${flag}`;
  throw refuse(syntax, what, nearest ? { hint: `Did you mean --${nearest}?` } : {});
}

/** A path with the home directory in place of `~`, which a shell replaces only at the start of a word. */
const withHome = (value: string, { form }: Option): string =>
  form === "path" ? value.replace(/^~(?=\/|$)/, homedir) : value;

function checkPositionals(syntax: Syntax, received: readonly string[]): void {
  const entries = Object.entries(syntax.positionals);
  const names = entries.map(([key]) => key.toUpperCase());
  const { name } = syntax;
  if (received.length < names.length) {
    throw refuse(syntax, `pushforward ${name} needs ${names.slice(received.length).join(" and ")}`, {
      hint: `Write ${usage(syntax)}, or see ${program()} ${name} --help.`,
    });
  }
  if (received.length === names.length || entries.at(-1)?.[1].several) return;
  const count = names.length === 1 ? "one argument" : `${names.length} arguments`;
  const more = received.slice(names.length).join(" ");
  throw refuse(syntax, `pushforward ${name} takes ${count}, but also received ${more}`, {
    hint: `Write ${usage(syntax)}, and quote names that contain spaces.`,
  });
}

function missingOption(syntax: Syntax, key: string, { alias, valueName }: Option): PushforwardError {
  const example = `${alias ? `-${alias}` : `--${optionName(key)}`} ${valueName}`;
  return refuse(syntax, `pushforward ${syntax.name} needs --${optionName(key)}`, {
    hint: `Write ${usage(syntax)} ${example}, or see ${program()} ${syntax.name} --help.`,
  });
}

const usage = ({ name, positionals }: Syntax): string =>
  [program(), name, ...Object.entries(positionals).map(positionalName)].join(" ");
