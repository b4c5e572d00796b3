import { createColors } from "picocolors";
import { type ErrorCode, PushforwardError } from "../errors.ts";
import { visible, withoutControls } from "./format.ts";
import { colorful, type Io } from "./io.ts";
import { program } from "./program.ts";

const DEFECT = "This is a defect of pushforward: please report it with what DEBUG=1 prints.";

/** How to hint what an error itself has no advice for. */
const advice = (): Readonly<Record<ErrorCode, string>> => ({
  ARGUMENT: `See ${program()} --help.`,
  DATA: "Correct the table or the query, and run the command again.",
  FILE: "Check the path and its permissions, and run the command again.",
  MODEL: "Give a model file that pushforward fit wrote.",
  NUMERIC: "Look for values far from all others, or leave columns out with --columns.",
  SHAPE: DEFECT,
  ENGINE: DEFECT,
  INTERRUPTED: "Run the command again.",
});

/** Tells an error in two lines: what happened, and a hint how to fix it; with the stack trace where DEBUG asks for it. */
export function writeFailure(error: unknown, { stderr, env }: Pick<Io, "stderr" | "env">): void {
  const { red } = createColors(colorful(stderr, env));
  const { what, hint } = described(error);
  const interrupted = error instanceof PushforwardError && error.code === "INTERRUPTED";
  stderr.write(`${interrupted ? "" : `${red("Error:")} `}${visible(capitalized(what))}\n${visible(hint)}\n`);
  if (env.DEBUG) for (const trace of traces(error)) stderr.write(`${withoutControls(trace)}\n`);
}

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
      return isFullDisk(error.cause) ? 1 : 2;
    default:
      return 1;
  }
}

/** An error about a model or a checkpoint, told with the path of its file, and with another hint if one is given. */
export function namingFile(error: unknown, path: string, otherwise?: string): unknown {
  if (!(error instanceof PushforwardError) || error.code !== "MODEL") return error;
  const { what, hint } = described(error);
  const sentence = what.replace(/\.$/, "").replace(/^(The|This|Array)\b/, (word) => word.toLowerCase());
  return new PushforwardError("MODEL", `${path}: ${sentence}`, { hint: otherwise ?? hint, cause: error });
}

/** Error messages of V8, WebAssembly, ONNX Runtime and the operating system when memory is used up. */
const OUT_OF_MEMORY =
  /out of memory|bad[ _]alloc|(could not|failed to|cannot) allocate|allocation failed|invalid (typed array|array buffer) length: \d/i;

function described(error: unknown): { what: string; hint: string } {
  const ours = error instanceof PushforwardError && error.code !== "ENGINE";
  if (error instanceof Error && !ours && OUT_OF_MEMORY.test(error.message)) {
    const heap = /heap/.test(error.message);
    return {
      what: `There is not enough memory (${error.message.replace(/\.$/, "")}).`,
      hint: heap
        ? "Lower --transforms or --hidden, or allow JavaScript more megabytes: NODE_OPTIONS=--max-old-space-size=8000"
        : "Free some, raise ulimit -v if it is set, or lower --threads, and for fit --batch-size, --hidden or --transforms.",
    };
  }
  if (error instanceof PushforwardError) {
    const { message, hint } = error;
    return hint === undefined
      ? { what: message, hint: advice()[error.code] }
      : { what: message.slice(0, -hint.length - 1), hint };
  }
  const what = `${error instanceof Error ? error.message : String(error)}.`;
  const outside = error instanceof Error && "syscall" in error;
  return { what, hint: outside ? "See to the cause, and run the command again." : DEFECT };
}

/** Whether a file system could not go on, whatever the path. */
function isFullDisk(cause: unknown): boolean {
  if (!(cause instanceof Error)) return false;
  const code = "code" in cause ? String(cause.code) : "";
  return (
    ["ENOSPC", "EDQUOT", "EFBIG", "EIO", "EROFS", "EMFILE", "ENFILE"].includes(code) ||
    /^IO Error|No space left on device|temp_directory/.test(cause.message)
  );
}

function* traces(error: unknown): Generator<string> {
  for (let e = error; e instanceof Error; e = e.cause) yield e.stack ?? String(e);
}

/** Sentences begin with a capital; names of files and of this program stay as they are. */
const capitalized = (text: string): string =>
  text.replace(/^(?!pushforward)[a-z](?=[a-z]* )/, (letter) => letter.toUpperCase());
