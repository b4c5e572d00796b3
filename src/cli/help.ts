import type { ArgDef } from "citty";
import { createColors } from "picocolors";
import { aliasOf, optionsOf, positionalsOf, positionalUsage } from "./arguments.ts";
import type { Command, CommandHelp } from "./command.ts";
import { colorful, type Io } from "./io.ts";
import { program } from "./program.ts";

const WIDTH = 96;

/** The help of the whole program. */
export function programHelp(commands: readonly Command[], version: string, io: Io): string {
  const { bold } = colorsFor(io);
  return [
    `${bold("pushforward")} ${version}: learns the probability distribution of a table with normalizing flows`,
    "",
    `${bold("Usage:")} ${program()} COMMAND ...`,
    "",
    bold("Commands:"),
    ...aligned(commands.map(({ name, summary }) => [name, summary])),
    "",
    bold("Examples:"),
    `  ${program()} fit earthquakes.csv`,
    `  ${program()} score model.safetensors earthquakes.csv -o scored.csv`,
    `  ${program()} sample model.safetensors -n 1000 -o samples.csv`,
    "",
    ...wrapped(
      "Tables are CSV, TSV, JSON or JSON Lines (each also gzipped) or Parquet files, or DuckDB queries in quotes. " +
        "Log-densities are in nats and in the units of the data.",
      WIDTH,
    ),
    "",
    `${program()} COMMAND --help tells all about one command; --version prints the version.`,
    "",
  ].join("\n");
}

/** The help of one command. */
export function commandHelp({ name, summary, args, details = [], examples }: CommandHelp, io: Io): string {
  const { bold } = colorsFor(io);
  const positionals = positionalsOf(args);
  const options = optionsOf(args);
  const required = options.filter(([, definition]) => definition.required);
  const usage = [
    ...positionals.map(positionalUsage),
    ...required.map(([name, definition]) => `-${aliasOf(definition) ?? `-${name}`} ${definition.valueHint}`),
    "[options]",
  ];
  return [
    `${bold(`pushforward ${name}`)}: ${summary}`,
    "",
    `${bold("Usage:")} ${program()} ${name} ${usage.join(" ")}`,
    "",
    ...aligned(positionals.map(([name, { description = "" }]) => [name.toUpperCase(), description])),
    "",
    ...details.flatMap((paragraph) => [...wrapped(paragraph, WIDTH), ""]),
    bold("Options:"),
    ...aligned([
      ...options.map(
        ([name, definition]) => [optionNames(name, definition), optionPurpose(definition)] as const,
      ),
      ["-h, --help", "Shows this help."],
    ]),
    "",
    bold("Examples:"),
    ...examples.flatMap(([command, purpose]) => [
      `  ${program()} ${command}`,
      ...wrapped(purpose, WIDTH - 6).map((line) => `      ${line}`),
    ]),
    "",
  ].join("\n");
}

const colorsFor = ({ stdout, env }: Io) => createColors(colorful(stdout, env));

function optionNames(name: string, definition: ArgDef): string {
  const alias = aliasOf(definition);
  const names = `${alias === undefined ? "" : `-${alias}, `}--${name}`;
  return definition.type === "boolean" ? names : `${names} ${definition.valueHint}`;
}

function optionPurpose(definition: ArgDef): string {
  const choices =
    "options" in definition && definition.options ? ` One of ${definition.options.join(", ")}.` : "";
  const value = definition.default === undefined ? "" : ` Default: ${definition.default}.`;
  return `${definition.description}${choices}${value}`;
}

/** Two columns, the second wrapped. */
function aligned(entries: readonly (readonly [string, string])[]): string[] {
  const indent = 2 + Math.max(...entries.map(([term]) => term.length)) + 3;
  return entries.flatMap(([term, text]) =>
    wrapped(text, WIDTH - indent).map(
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
