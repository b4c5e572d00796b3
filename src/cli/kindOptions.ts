import { KIND_SYNTAX } from "../tables/options/index.ts";
import { path, texts } from "./options.ts";

/** The options of every command that infers the kinds of columns. */
export const kindOptions = {
  column: texts({
    valueName: "NAME=KIND",
    description: `The kind of a column, in place of the one that its values suggest: ${KIND_SYNTAX.join(", ")}.`,
  }),
  schema: path({
    valueName: "FILE",
    description:
      "A JSON file with the kinds of columns, as pushforward columns --json prints it. --column takes precedence.",
  }),
};
