import { setTimeout } from "node:timers/promises";
import { expandAbbreviation, nearestName, PushforwardError } from "../check/index.ts";
import { mpiJob } from "../mpi/index.ts";
import { VERSION } from "../package/index.ts";
import type { Command } from "./command.ts";
import { exitCode, writeFailure } from "./failure.ts";
import { commandHelp, programHelp } from "./help.ts";
import type { Io } from "./io.ts";
import { program } from "./program.ts";

/** The commands. Each is loaded when it is needed. */
export const COMMANDS: Readonly<Record<string, () => Promise<Command>>> = {
  columns: async () => (await import("./columns.ts")).columns,
  fit: async () => (await import("./fit.ts")).fit,
  report: async () => (await import("./report.ts")).report,
  compare: async () => (await import("./compare.ts")).compare,
  evaluate: async () => (await import("./evaluate.ts")).evaluate,
  score: async () => (await import("./score.ts")).score,
  anomalies: async () => (await import("./anomalies.ts")).anomalies,
  impute: async () => (await import("./impute.ts")).impute,
  sample: async () => (await import("./sample.ts")).sample,
  infer: async () => (await import("./infer.ts")).infer,
  interpolate: async () => (await import("./interpolate.ts")).interpolate,
  inspect: async () => (await import("./inspect.ts")).inspect,
  serve: async () => (await import("./serve.ts")).serve,
  studio: async () => (await import("./studio.ts")).studio,
  mcp: async () => (await import("./mcp.ts")).mcp,
  doctor: async () => (await import("./doctor.ts")).doctor,
  export: async () => (await import("./export.ts")).exportCommand,
};

/**
 * Runs a command line, given without the program's name. Returns the exit code: 0, 2 for an error that the user can correct
 * (usage, data, models), 1 for another failure, 130 after Ctrl-C.
 */
export async function run(words: readonly string[], io: Io): Promise<number> {
  try {
    await dispatch(words, io);
    return 0;
  } catch (error) {
    await announceRank(io);
    writeFailure(error, io, words);
    return exitCode(error);
  }
}

/** Other ranks wait this long, so that rank 0 can print the common error first. */
const WAIT_FOR_RANK_0_MILLISECONDS = 2000;

/** Says which process of an MPI job failed, unless it is rank 0. */
async function announceRank({ env, stderr }: Io): Promise<void> {
  const job = mpiJob(env);
  if (!job || job.rank === 0) return;
  await setTimeout(WAIT_FOR_RANK_0_MILLISECONDS);
  stderr.write(`On rank ${job.rank} of ${job.size}:\n`);
}

/** Whether a command line only asks for help or the version. */
export const asksForInformation = ([first, ...rest]: readonly string[]): boolean =>
  first === undefined ||
  ["help", "--version", "-v"].includes(first) ||
  asksForHelp(first) ||
  beforeDashes(rest).some(asksForHelp);

const asksForHelp = (word: string): boolean => word === "--help" || word === "-h";

/** The words before `--`. Those after it are positional arguments, even `--help`. */
const beforeDashes = (words: readonly string[]): readonly string[] =>
  words.includes("--") ? words.slice(0, words.indexOf("--")) : words;

async function dispatch(words: readonly string[], io: Io): Promise<void> {
  const [first, ...rest] = words;
  const isOfProgram = first === "help" && (rest[0] === undefined || asksForHelp(rest[0]));
  if (first === undefined || asksForHelp(first) || isOfProgram) {
    const commands = await Promise.all(Object.values(COMMANDS).map((load) => load()));
    io.stdout.write(programHelp(commands, VERSION, io));
    return;
  }
  if (first === "--version" || first === "-v") {
    io.stdout.write(`${VERSION}\n`);
    return;
  }
  const name = first === "help" ? rest[0]! : first;
  const load = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (!load) throw unknownCommand(name);
  const command = await load();
  if (first === "help" || beforeDashes(rest).some(asksForHelp)) io.stdout.write(commandHelp(command, io));
  else await command.run(rest, io);
}

function unknownCommand(word: string): PushforwardError {
  if (word.startsWith("-")) {
    const nearest = nearestName(word, ["--help", "--version"]);
    return new PushforwardError("ARGUMENT", `pushforward has no option ${word}`, {
      hint: nearest ? `Did you mean ${nearest}?` : "The options of a command come after its name.",
    });
  }
  const names = Object.keys(COMMANDS);
  const nearest = nearestName(word, names) ?? expandAbbreviation(word, names);
  return new PushforwardError("ARGUMENT", `pushforward has no command ${word}`, {
    expected: `one of ${names.join(", ")}`,
    hint: nearest ? `Did you mean ${program()} ${nearest}?` : `See ${program()} --help.`,
  });
}
