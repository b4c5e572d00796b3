import { outputFormat } from "../data/format.ts";
import type { Io, Output } from "./io.ts";

const STANDARD_OUTPUT = ["-", "/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"];

/**
 * Where `--output` asks a table to go: standard output, or a path.
 *
 * @throws ARGUMENT when the ending of the path names no format.
 */
export function tableOutput(output: string, { stdout }: Io): string | Output {
  if (STANDARD_OUTPUT.includes(output)) return stdout;
  outputFormat(output);
  return output;
}
