import { createColors } from "picocolors";
import { type ErrorCode, PushforwardError } from "../errors.ts";
import { visible, withoutControls } from "./format.ts";
import { colorful, type Io } from "./io.ts";
import { program } from "./program.ts";

const BUG =
  "This is a bug of pushforward. Please report it with the output of the same command under DEBUG=1.";

/** The hints for errors that have none. */
const defaultHint = (code: ErrorCode): string =>
  ({
    ARGUMENT: `See ${program()} --help.`,
    DATA: "Correct the table or the query, and run the command again.",
    FILE: "Check the path and its permissions, and run the command again.",
    MODEL: "Give a model file that pushforward fit wrote.",
    NUMERIC: "Look for values far from all others, or leave columns out with --columns.",
    SHAPE: BUG,
    ENGINE: BUG,
    DEPENDENCY: "Install it, and run the command again.",
    INTERRUPTED: "Run the command again.",
  })[code];

/** Prints an error in two lines, what happened and a hint, and with DEBUG in the environment its stack traces. */
export function writeFailure(error: unknown, { stderr, env }: Pick<Io, "stderr" | "env">): void {
  const { red } = createColors(colorful(stderr, env));
  const { what, hint } = explain(error);
  const interrupted = error instanceof PushforwardError && error.code === "INTERRUPTED";
  stderr.write(`${interrupted ? "" : `${red("Error:")} `}${visible(capitalized(what))}\n${visible(hint)}\n`);
  if (!env.DEBUG) return;
  for (let e = error; e instanceof Error; e = e.cause) {
    stderr.write(`${withoutControls(e.stack ?? String(e))}\n`);
  }
}

/** The exit code of a command that fails: 2 for an error that the user can correct, 1 for others, 130 after Ctrl-C. */
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
      return isSystemFailure(error.cause) ? 1 : 2;
    default:
      return 1;
  }
}

/** A MODEL error with the path of the file, and another hint if one is given; other errors unchanged. */
export function namingFile(error: unknown, path: string, otherHint?: string): unknown {
  if (!(error instanceof PushforwardError) || error.code !== "MODEL") return error;
  const { what, hint } = explain(error);
  const sentence = what.replace(/\.$/, "").replace(/^(The|This|Array)\b/, (word) => word.toLowerCase());
  return new PushforwardError("MODEL", `${path}: ${sentence}`, { hint: otherHint ?? hint, cause: error });
}

/** Messages of V8, WebAssembly, ONNX Runtime and the operating system when there is no memory left. */
const OUT_OF_MEMORY =
  /out of memory|bad[ _]alloc|(could not|failed to|cannot) allocate|allocation failed|invalid (typed array|array buffer) length: \d/i;

function explain(error: unknown): { what: string; hint: string } {
  const isOurs = error instanceof PushforwardError && error.code !== "ENGINE";
  if (error instanceof Error && !isOurs && OUT_OF_MEMORY.test(error.message)) {
    return {
      what: `There is not enough memory (${error.message.replace(/\.$/, "")}).`,
      hint: /heap/.test(error.message)
        ? "Lower --transforms or --hidden, or allow JavaScript more memory: NODE_OPTIONS=--max-old-space-size=8000"
        : "Close other programs, raise ulimit -v if it is set, or lower --threads, and for fit --batch-size, --hidden or --transforms.",
    };
  }
  if (error instanceof PushforwardError) {
    const { message, hint, code } = error;
    return hint === undefined
      ? { what: message, hint: defaultHint(code) }
      : { what: message.slice(0, -hint.length - 1), hint };
  }
  const what = `${error instanceof Error ? error.message : String(error)}.`;
  const isFromSystem = error instanceof Error && "syscall" in error;
  return { what, hint: isFromSystem ? "Fix the cause, and run the command again." : BUG };
}

/** Whether the file system failed, for example because the disk is full: another path would not help. */
function isSystemFailure(cause: unknown): boolean {
  if (!(cause instanceof Error)) return false;
  const code = "code" in cause ? String(cause.code) : "";
  return (
    ["ENOSPC", "EDQUOT", "EFBIG", "EIO", "EROFS", "EMFILE", "ENFILE"].includes(code) ||
    /^IO Error|No space left on device|temp_directory/.test(cause.message)
  );
}

/** Starts a sentence with a capital. Names of files and of this program stay unchanged. */
const capitalized = (text: string): string =>
  text.replace(/^(?!pushforward)[a-z](?=[a-z]* )/, (letter) => letter.toUpperCase());
