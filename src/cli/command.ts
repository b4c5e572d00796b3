import { type ArgsDef, defineCommand, type ParsedArgs, runCommand } from "citty";
import { checkedArguments } from "./arguments.ts";
import type { Io } from "./io.ts";

/** What the help of a command says. */
export interface CommandHelp {
  readonly name: string;
  /** One line, as in the list of commands. */
  readonly summary: string;
  readonly args: ArgsDef;
  /** Paragraphs after the summary. */
  readonly details?: readonly string[];
  /** Command lines without the program, and what they do. */
  readonly examples: readonly (readonly [command: string, purpose: string])[];
}

export interface Command extends CommandHelp {
  /** Runs with the arguments that stand after the command's name. */
  run(argv: readonly string[], io: Io): Promise<void>;
}

/** What a running command is given. */
export interface Context<T extends ArgsDef> {
  readonly args: ParsedArgs<T>;
  /** The arguments as they were typed. */
  readonly argv: readonly string[];
  readonly io: Io;
}

/** An option of every command that computes. */
export const THREADS = {
  type: "string",
  valueHint: "N",
  description: "How many threads compute. Default: one for each core.",
} as const;

/** An option of every command that reads a table. */
export const NA = {
  type: "string",
  valueHint: "NA,?",
  description: "Values of the table that stand for a missing one, besides an empty field and NULL.",
} as const;

interface Definition<T extends ArgsDef> extends CommandHelp {
  readonly args: T;
  run(context: Context<T>): Promise<void>;
}

/** A command whose arguments citty parses and types, after they were checked. */
export function command<const T extends ArgsDef>({ run, ...help }: Definition<T>): Command {
  return {
    ...help,
    async run(argv, io) {
      const parsed = defineCommand<T>({ args: help.args, run: ({ args }) => run({ args, argv, io }) });
      await runCommand(parsed, { rawArgs: checkedArguments(help.name, help.args, argv) });
    },
  };
}
