import { createColors } from "picocolors";
import { optionName, positionalName } from "./arguments.ts";
import type { Command } from "./command.ts";
import { type Io, supportsColor } from "./io.ts";
import type { Option } from "./options.ts";
import { program } from "./program.ts";

/** In characters: longer lines are hard to read. */
const MAX_WIDTH = 96;
/** In characters, for the descriptions in a narrow terminal. */
const MIN_WIDTH = 20;

/** The width of the help: that of a terminal, which may be unknown (0). */
const widthOf = ({ stdout }: Io): number => Math.min(MAX_WIDTH, stdout.columns || MAX_WIDTH);

/** The help of the whole program. */
export function programHelp(commands: readonly Command[], version: string, io: Io): string {
  const { bold } = colorsFor(io);
  const width = widthOf(io);
  return [
    `${bold("pushforward")} ${version}: learns the probability distribution of a table with normalizing flows`,
    "",
    `${bold("Usage:")} ${program()} COMMAND ...`,
    "",
    bold("Commands:"),
    ...aligned(
      commands.map(({ name, summary }) => [name, summary]),
      width,
    ),
    "",
    bold("Examples:"),
    `  ${program()} fit earthquakes.csv`,
    `  ${program()} score model.safetensors earthquakes.csv -o scored.csv`,
    `  ${program()} sample model.safetensors -n 1000 -o samples.csv`,
    "",
    ...wrapped(
      "A table is a CSV, TSV, JSON, JSON Lines (each also gzipped) or Parquet file, or a DuckDB query in quotes. " +
        "Log-densities are in nats and refer to the units of the data.",
      width,
    ),
    "",
    `${program()} COMMAND --help describes a command; --version prints the version.`,
    "",
  ].join("\n");
}

/** The help of one command. */
export function commandHelp(command: Command, io: Io): string {
  const { name, summary, positionals, options, details = [], examples } = command;
  const { bold } = colorsFor(io);
  const width = widthOf(io);
  const usage = [
    ...Object.entries(positionals).map(positionalName),
    ...Object.entries(options).flatMap(([key, { required, alias, valueName }]) =>
      required ? [`${alias ? `-${alias}` : `--${optionName(key)}`} ${valueName}`] : [],
    ),
    "[options]",
  ];
  const title = `pushforward ${name}`;
  return [
    wrapped(`${title}: ${summary}`, width).join("\n").replace(title, bold),
    "",
    `${bold("Usage:")} ${program()} ${name} ${usage.join(" ")}`,
    "",
    ...aligned(
      Object.entries(positionals).map(([key, { description }]) => [key.toUpperCase(), description]),
      width,
    ),
    "",
    ...details.flatMap((paragraph) => [...wrapped(paragraph, width), ""]),
    bold("Options:"),
    ...aligned(
      [
        ...Object.entries(options).map(([key, option]) => [forms(key, option), purpose(option)] as const),
        ["-h, --help", "Shows this help."],
      ],
      width,
    ),
    "",
    bold("Examples:"),
    ...examples.flatMap(([line, what]) => [
      `  ${program()} ${line}`,
      ...wrapped(what, width - 6).map((text) => `      ${text}`),
    ]),
    "",
  ].join("\n");
}

const colorsFor = ({ stdout, env }: Io) => createColors(supportsColor(stdout, env));

/** How an option is written, as `-o, --output FILE`. */
const forms = (key: string, { alias, valueName }: Option): string =>
  `${alias ? `-${alias}, ` : ""}--${optionName(key)}${valueName === undefined ? "" : ` ${valueName}`}`;

const purpose = ({ description, choices, default: standard, readAll }: Option): string =>
  description +
  (readAll ? " May be given several times." : "") +
  (choices ? ` One of ${choices.map(quoted).join(", ")}.` : "") +
  (standard ? ` Default: ${quoted(standard)}.` : "");

/** A decimal separator needs quotation marks, because it would look like punctuation of the sentence. */
const quoted = (value: string): string => (/^[.,]$/.test(value) ? `"${value}"` : value);

/** Two columns, the second wrapped. */
function aligned(entries: readonly (readonly [string, string])[], width: number): string[] {
  const indent = 2 + Math.max(...entries.map(([term]) => term.length)) + 3;
  return entries.flatMap(([term, text]) =>
    wrapped(text, Math.max(MIN_WIDTH, width - indent)).map(
      (line, i) => (i === 0 ? `  ${term}`.padEnd(indent) : " ".repeat(indent)) + line,
    ),
  );
}

function wrapped(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    if (line !== "" && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else line = line === "" ? word : `${line} ${word}`;
  }
  return [...lines, line];
}
