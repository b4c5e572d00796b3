import { createColors } from "picocolors";
import { type ErrorCode, PushforwardError } from "../check/index.ts";
import { escapeControls, singleLine } from "./format.ts";
import { type Io, supportsColor } from "./io.ts";
import { program } from "./program.ts";

const BUG =
  "This is a bug in pushforward. Please set the environment variable DEBUG=1, run the command again, and report its output.";

/** The hint for an error that has none of its own. */
const defaultHint = (code: ErrorCode): string =>
  ({
    ARGUMENT: `See ${program()} --help.`,
    DATA: "Correct the table or the query, and run the command again.",
    FILE: "Check the path and its permissions, and run the command again.",
    MODEL: 'Give a model file that the command "pushforward fit" wrote.',
    NUMERIC: "Look for values far from all others, or leave columns out with --columns.",
    SHAPE: BUG,
    ENGINE: BUG,
    DEPENDENCY: "Install it, and run the command again.",
    INTERRUPTED: "Run the command again.",
  })[code];

/**
 * Prints an error in two lines, what happened and a hint. If DEBUG is set in the environment, the stack traces of the error and of
 * its causes follow. `words` are those of the command line.
 */
export function writeFailure(
  error: unknown,
  { stderr, env }: Pick<Io, "stderr" | "env">,
  words: readonly string[] = [],
): void {
  const { red } = createColors(supportsColor(stderr, env));
  const { what, hint } = explain(error);
  const interrupted = error instanceof PushforwardError && error.code === "INTERRUPTED";
  stderr.write(
    `${interrupted ? "" : `${red("Error:")} `}${singleLine(capitalized(what, words))}\n${singleLine(hint)}\n`,
  );
  if (!env.DEBUG) return;
  for (let e = error; e instanceof Error; e = e.cause) {
    stderr.write(`${escapeControls(e.stack ?? String(e))}\n`);
  }
}

/**
 * The exit code of a command that fails: 2 if the command line, the table, a file or the model is wrong, so that another input
 * would help; 130 after Ctrl-C; 1 for all else, such as a full disk, a package that is not installed, training that diverged, or
 * a bug.
 */
export function exitCode(error: unknown): 1 | 2 | 130 {
  if (!(error instanceof PushforwardError)) return 1;
  switch (error.code) {
    case "INTERRUPTED":
      return 130;
    case "ARGUMENT":
    case "DATA":
    case "MODEL":
      return 2;
    case "FILE":
      return isMachineFailure(error.cause) ? 1 : 2;
    default:
      return 1;
  }
}

/**
 * Adds the path of the file to a MODEL error: "The file is truncated." becomes "model.safetensors: the file is truncated.".
 * `otherHint` replaces the hint of the error. Other errors are returned unchanged.
 */
export function withPath(error: unknown, path: string, otherHint?: string): unknown {
  if (!(error instanceof PushforwardError) || error.code !== "MODEL") return error;
  const { what, hint } = explain(error);
  // The sentence continues after the path. Only these words are changed, since others may be names; PushforwardError adds a period.
  const sentence = what.replace(/\.$/, "").replace(/^(The|This|Array)\b/, (word) => word.toLowerCase());
  return new PushforwardError("MODEL", `${path}: ${sentence}`, { hint: otherHint ?? hint, cause: error });
}

/**
 * Matches what programs say when there is no memory left:
 * - V8: "JS heap out of memory", "Array buffer allocation failed", "Invalid typed array length: 10000000000" (a negative length
 *   would be a bug)
 * - WebAssembly: "could not allocate memory"
 * - C++: "std::bad_alloc", "bad allocation"
 * - ONNX Runtime: "Failed to allocate memory for requested buffer of size 40000000000"
 * - the operating system: "Cannot allocate memory"
 */
const OUT_OF_MEMORY =
  /out of memory|bad[ _]alloc|(could not|failed to|cannot) allocate|allocation failed|invalid (typed array|array buffer) length: \d/i;

function explain(error: unknown): { what: string; hint: string } {
  // An ENGINE error quotes ONNX Runtime, which may have no memory left. Other PushforwardErrors have a hint for their cause.
  const mayBeMemory = !(error instanceof PushforwardError) || error.code === "ENGINE";
  if (error instanceof Error && mayBeMemory && OUT_OF_MEMORY.test(error.message)) {
    return {
      what: `There is not enough memory (${error.message.replace(/\.$/, "")}).`,
      // V8 limits the heap of JavaScript objects, such as the tensors of a graph, to less than the memory of the machine.
      hint: /heap/.test(error.message)
        ? "Lower --transforms or --hidden of fit, or allow JavaScript more memory: NODE_OPTIONS=--max-old-space-size=8000"
        : "Close other programs, raise ulimit -v if it is set, or lower --threads. With fit, --batch-size, --hidden and --transforms can be lowered too.",
    };
  }
  if (error instanceof PushforwardError)
    return { what: error.what, hint: error.hint ?? defaultHint(error.code) };
  const what = `${error instanceof Error ? error.message : String(error)}.`;
  // Node adds the name of the system call to errors of the operating system, such as EACCES.
  const isSystemError = error instanceof Error && "syscall" in error;
  return { what, hint: isSystemError ? "Fix the cause, and run the command again." : BUG };
}

/** Whether the machine is the cause, such as a full or failing disk or too many open files, so that another file would not help. */
function isMachineFailure(cause: unknown): boolean {
  if (!(cause instanceof Error)) return false;
  const code = "code" in cause ? String(cause.code) : "";
  const isSystemCode = ["ENOSPC", "EDQUOT", "EFBIG", "EIO", "EROFS", "EMFILE", "ENFILE"].includes(code);
  // DuckDB has no codes. It names its setting temp_directory when the directory for its temporary files is full.
  return isSystemCode || /^IO Error|No space left on device|temp_directory/.test(cause.message);
}

/**
 * Starts a sentence with a capital letter if its first word is plain lower-case letters. Others, such as `data.csv`, are names, and
 * so are `pushforward` and values of the command line, such as `c` of `--columns a,c`.
 */
function capitalized(text: string, words: readonly string[]): string {
  const names = ["pushforward", ...words.flatMap((word) => word.split(/[=,]/))];
  if (names.some((name) => text.startsWith(`${name} `))) return text;
  return text.replace(/^[a-z](?=[a-z]* )/, (letter) => letter.toUpperCase());
}
