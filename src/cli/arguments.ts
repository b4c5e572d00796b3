import { homedir } from "node:os";
import type { ArgDef, ArgsDef } from "citty";
import { type ErrorDetails, PushforwardError } from "../errors.ts";
import { abbreviated, nearestName } from "../nearestName.ts";
import { program } from "./program.ts";

type Refuse = (what: string, details?: ErrorDetails) => PushforwardError;

/**
 * Checks the arguments of a command against their definitions and writes them in one way, `--name=value` with the
 * positional arguments last, which leaves citty nothing to ignore or to guess.
 *
 * @throws ARGUMENT for options that are unknown, lacking, given twice, without a value or with one too many, for a value
 *   that is not among the choices, and for too many or too few positional arguments.
 */
export function checkedArguments(command: string, definitions: ArgsDef, argv: readonly string[]): string[] {
  const hint = `See ${program()} ${command} --help.`;
  const refuse: Refuse = (what, details) => new PushforwardError("ARGUMENT", what, { hint, ...details });
  const options: string[] = [];
  const positionals: string[] = [];
  const seen = new Set<string>();

  for (let i = 0; i < argv.length; i++) {
    const word = argv[i]!;
    if (word === "--") {
      positionals.push(...argv.slice(i + 1));
      break;
    }
    if (!word.startsWith("-") || word === "-") {
      positionals.push(word);
      continue;
    }
    const option = findOption(definitions, word);
    if (!option) throw unknownOption(command, definitions, word, refuse);
    const { name, definition } = option;
    if (seen.has(name)) throw refuse(`--${name} is given twice`, { hint: "Give it once." });
    seen.add(name);
    if (definition.type === "boolean") {
      if (option.value !== undefined) throw refuse(`--${name} takes no value`, { received: option.value });
      options.push(`--${name}`);
      continue;
    }
    const value = option.value === undefined ? argv[++i] : withHome(option.value, definition);
    if (!value?.trim()) throw refuse(`--${name} needs a value`);
    checkChoice(name, definition, value);
    if (LIST_HINTS.includes(definition.valueHint) && /,\s*$/.test(value)) {
      throw refuse(`The list of --${name} ends in a comma`, {
        hint: `Write it without spaces, or in quotes: --${name} ${definition.valueHint}`,
      });
    }
    options.push(`--${name}=${value}`);
  }
  checkPositionals(command, definitions, positionals, refuse);
  checkRequired(command, definitions, seen, refuse);
  return [...options, "--", ...positionals];
}

/** The option that a word such as `--seed`, `--seed=1`, `-n` or `-n5` names, and the value in the word itself. */
function findOption(
  definitions: ArgsDef,
  word: string,
): { name: string; definition: ArgDef; value?: string } | undefined {
  const [, long, longValue] = /^--([^=]+)(?:=(.*))?$/s.exec(word) ?? [];
  const [, short, shortValue] = /^-([^-])(?:=?(.+))?$/s.exec(word) ?? [];
  for (const [name, definition] of optionsOf(definitions)) {
    if (name === long) return { name, definition, ...(longValue !== undefined && { value: longValue }) };
    if (short !== undefined && aliasOf(definition) === short) {
      return { name, definition, ...(shortValue !== undefined && { value: shortValue }) };
    }
  }
  return undefined;
}

/** Options whose values are lists, by their hints. */
const LIST_HINTS: readonly unknown[] = ["A,B", "C", "H,H"];

/** Options whose values are paths, by their hints. */
const PATH_HINTS: readonly unknown[] = ["FILE", "OUT", "DIR", "GIVEN"];

/** A path with the home directory in place of `~`, which shells replace at the start of a word only. */
const withHome = (value: string, { valueHint }: ArgDef): string =>
  PATH_HINTS.includes(valueHint) ? value.replace(/^~(?=\/|$)/, homedir) : value;

function unknownOption(
  command: string,
  definitions: ArgsDef,
  word: string,
  refuse: Refuse,
): PushforwardError {
  const flag = word.replace(/=.*/s, "");
  const names = optionsOf(definitions).map(([name]) => name);
  const typed = flag.replace(/^-+/, "");
  const nearest = nearestName(typed, [...names, "help"]) ?? abbreviated(typed, names);
  return refuse(
    `pushforward ${command} has no option ${flag}`,
    nearest ? { hint: `Did you mean --${nearest}?` } : {},
  );
}

function checkChoice(name: string, definition: ArgDef, value: string): void {
  const choices = ("options" in definition && definition.options) || [];
  if (choices.length === 0 || choices.includes(value)) return;
  const nearest = nearestName(value, choices);
  throw new PushforwardError("ARGUMENT", `--${name} has no choice ${value}`, {
    expected: `one of ${choices.join(", ")}`,
    hint: nearest ? `Did you mean ${nearest}?` : `Choose one of them: --${name} ${choices[0]}`,
  });
}

function checkPositionals(
  command: string,
  definitions: ArgsDef,
  received: readonly string[],
  refuse: Refuse,
): void {
  const names = positionalsOf(definitions).map(([name]) => name.toUpperCase());
  const usage = usageOf(command, definitions);
  if (received.length < names.length) {
    throw refuse(`pushforward ${command} needs ${names.slice(received.length).join(" and ")}`, {
      hint: `Write ${usage}, or see ${program()} ${command} --help.`,
    });
  }
  if (received.length > names.length && !takesSeveral(definitions)) {
    const count = names.length === 1 ? "one argument" : `${names.length} arguments`;
    const more = received.slice(names.length).join(" ");
    throw refuse(`pushforward ${command} takes ${count}, but also got ${more}`, {
      hint: `Write ${usage}, and quote names that have spaces.`,
    });
  }
}

function checkRequired(
  command: string,
  definitions: ArgsDef,
  seen: ReadonlySet<string>,
  refuse: Refuse,
): void {
  for (const [name, definition] of optionsOf(definitions)) {
    if (!definition.required || seen.has(name)) continue;
    const alias = aliasOf(definition);
    const example = `${alias ? `-${alias}` : `--${name}`} ${definition.valueHint}`;
    throw refuse(`pushforward ${command} needs --${name}`, {
      hint: `Write ${usageOf(command, definitions)} ${example}, or see ${program()} ${command} --help.`,
    });
  }
}

export const optionsOf = (definitions: ArgsDef): [string, ArgDef][] =>
  Object.entries(definitions).filter(([, { type }]) => type !== "positional");

export const aliasOf = (definition: ArgDef): string | undefined =>
  "alias" in definition && typeof definition.alias === "string" ? definition.alias : undefined;

export const positionalsOf = (definitions: ArgsDef): [string, ArgDef][] =>
  Object.entries(definitions).filter(([, { type }]) => type === "positional");

/** A positional argument in the usage of a command: `MODEL`, or `DATA...` for one word or more. */
export const positionalUsage = ([name, { valueHint = name.toUpperCase() }]: [string, ArgDef]): string =>
  valueHint;

const takesSeveral = (definitions: ArgsDef): boolean =>
  positionalsOf(definitions).some((positional) => positionalUsage(positional).endsWith("..."));

const usageOf = (command: string, definitions: ArgsDef): string =>
  [program(), command, ...positionalsOf(definitions).map(positionalUsage)].join(" ");
