import { existsSync, statSync } from "node:fs";
import { PushforwardError } from "../check/index.ts";
import { checkWritable } from "../files/index.ts";
import { outputFormat } from "../tables/io/index.ts";
import { type Io, nullStream, type Output } from "./io.ts";
import { Messages } from "./messages.ts";

const NULL_DEVICE = "/dev/null";
const STANDARD_OUTPUT = ["-", "/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"];

/**
 * The destination that `--output` names: standard output, the path of a file that can be written, or a stream that discards all rows for
 * /dev/null, which cannot be replaced as a file is.
 *
 * @throws ARGUMENT when the ending of the path names no format; FILE when no file can be written there.
 */
export async function tableOutput(output: string, { stdout }: Io): Promise<string | Output> {
  if (isStandardOutput(output)) return stdout;
  if (output === NULL_DEVICE) return nullStream();
  outputFormat(output);
  await checkWritable(output);
  return output;
}

/** Whether an output is standard output. */
export const isStandardOutput = (output: string): boolean => STANDARD_OUTPUT.includes(output);

/** The error for two outputs that would both be on standard output. */
export const twoOnStandardOutput = (first: string, second: string, example: string): PushforwardError =>
  new PushforwardError("ARGUMENT", `Standard output cannot have both ${first} and ${second}`, {
    hint: `Write ${first} to a file, for example: ${example} --json`,
  });

/** Throws `ARGUMENT` if the directory for several files is standard output. */
export function checkDirectoryName(directory: string, option: string): void {
  if (!isStandardOutput(directory)) return;
  throw new PushforwardError("ARGUMENT", "Several files cannot be written to standard output", {
    expected: `a directory for ${option}`,
    received: directory,
    hint: `For example: ${option} files`,
  });
}

/** Whether an output is a directory, which then gets several files. */
export const isDirectory = (output: string): boolean =>
  output.endsWith("/") || (existsSync(output) && statSync(output).isDirectory());

/** Prints what was written to a file, and nothing if it was written to a stream. */
export function reportWritten(what: string, destination: string | Output, io: Io): void {
  if (typeof destination === "string") new Messages(io).print(`Wrote ${what} to ${destination}`);
}
