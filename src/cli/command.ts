import { type Positional, parseArguments, type Syntax, type Values } from "./arguments.ts";
import { checkEngine } from "./engine.ts";
import type { Io } from "./io.ts";
import type { Option } from "./options.ts";

/** A command with what its help says. */
export interface Command extends Syntax {
  /** One sentence, as in the list of commands. */
  readonly summary: string;
  /** Paragraphs after the summary. */
  readonly details?: readonly string[];
  /** Command lines without the program, and what they do. */
  readonly examples: readonly (readonly [command: string, purpose: string])[];
  /** Runs with the words after the command's name. */
  run(words: readonly string[], io: Io): Promise<void>;
}

interface Definition<
  P extends Readonly<Record<string, Positional>>,
  O extends Readonly<Record<string, Option>>,
> extends Omit<Command, "run" | "positionals" | "options"> {
  readonly positionals: P;
  readonly options: O;
  /** Runs with the values of the arguments; `words` are the arguments as they were typed. */
  run(values: Values<{ positionals: P; options: O }>, io: Io, words: readonly string[]): Promise<void>;
}

/** A command that parses its arguments before it runs. */
export function command<
  const P extends Readonly<Record<string, Positional>>,
  O extends Readonly<Record<string, Option>>,
>(definition: Definition<P, O>): Command {
  return {
    ...definition,
    async run(words, io) {
      const values = parseArguments(definition, words);
      await checkEngine(values);
      await definition.run(values, io, words);
    },
  };
}
