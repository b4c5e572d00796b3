import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { constants } from "node:os";
import { join } from "node:path";
import { Writable } from "node:stream";
import { fileURLToPath } from "node:url";
import { inject } from "vitest";
import type { Io } from "../../src/cli/io.ts";
import { run } from "../../src/cli/run.ts";
import { temporaryDirectory } from "../data/temporaryFiles.ts";

export const EARTHQUAKES = fileURLToPath(new URL("../../examples/data/earthquakes.csv", import.meta.url));
export const PENGUINS = fileURLToPath(new URL("../../examples/data/penguins.csv", import.meta.url));
/** The command line for other processes, from the compiled sources. */
export const MAIN = join(inject("compiledPackage"), "dist/cli/main.js");

export interface Outcome {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

interface RunOptions {
  env?: Record<string, string>;
  /** If set, both outputs are terminals of this width. */
  columns?: number;
  interrupted?: AbortSignal;
  onStopMessage?: Io["onStopMessage"];
}

export type Workplace = ReturnType<typeof workplace>;

/** A temporary directory, and functions that run the command line in this process. */
export function workplace() {
  const files = temporaryDirectory();
  const plain = (text: string) =>
    text
      .replaceAll(files.path("/"), "")
      .replaceAll(EARTHQUAKES, "earthquakes.csv")
      .replaceAll(/\S*\bpushforward-compiled-\w+\//g, "");

  /** Runs a command line. In its output, the temporary directories are removed from paths. */
  async function pushforward(words: readonly string[], options: RunOptions = {}): Promise<Outcome> {
    const [stdout, stderr] = [collector(options.columns), collector(options.columns)];
    const { env = {}, interrupted = new AbortController().signal, onStopMessage } = options;
    const code = await run(words, {
      stdout,
      stderr,
      env,
      interrupted,
      ...(onStopMessage && { onStopMessage }),
    });
    return { code, out: plain(stdout.text()), err: plain(stderr.text()) };
  }

  /** The outputs of a command. Throws its error if it fails. */
  async function outputs(...words: string[]): Promise<Pick<Outcome, "out" | "err">> {
    const { code, out, err } = await pushforward(words);
    if (code !== 0) throw new Error(err);
    return { out, err };
  }

  /** The exit code and the standard error of a command that fails without other output. */
  async function failure(...words: string[]): Promise<string> {
    const { code, out, err } = await pushforward(words);
    return `${code}${out && ` AFTER ${out}`}\n${err.trimEnd()}`;
  }

  /** The objects that `--json` prints. */
  async function json(...words: string[]): Promise<Record<string, unknown>[]> {
    const { code, out, err } = await pushforward([...words, "--json"]);
    if (code !== 0) throw new Error(err);
    return jsonLines(out);
  }

  return { ...files, plain, pushforward, outputs, failure, json };
}

function collector(columns: number | undefined) {
  let text = "";
  const stream = new Writable({
    write(chunk, _, done) {
      text += chunk;
      done();
    },
  });
  return Object.assign(stream, { text: () => text, ...(columns !== undefined && { isTTY: true, columns }) });
}

/** Runs a command line in another process. */
export function start(
  words: readonly string[],
  { input, ...options }: { cwd?: string; input?: string | Uint8Array } = {},
) {
  const child: ChildProcess = spawn(process.execPath, [MAIN, ...words], {
    ...options,
    stdio: [input === undefined ? "ignore" : "pipe", "pipe", "pipe"],
  });
  child.stdin?.end(input);
  let [out, err] = ["", ""];
  child.stdout!.on("data", (chunk) => {
    out += chunk;
  });
  child.stderr!.on("data", (chunk) => {
    err += chunk;
  });
  // Like a shell, report 128 plus the number of the signal that ended the process.
  const ended = once(child, "close").then(([code, signal]) => ({
    code: signal ? 128 + constants.signals[signal as NodeJS.Signals] : code,
    signal,
    out,
    err,
  }));
  return {
    child,
    ended,
    /** Resolves when the standard output so far matches the pattern. */
    async printed(pattern: RegExp): Promise<void> {
      while (!pattern.test(out)) {
        if (child.exitCode !== null || child.signalCode !== null)
          throw new Error(`ended without ${pattern}: ${out}${err}`);
        await once(child.stdout!, "data");
      }
    },
  };
}

/** The objects of JSON Lines. */
export const jsonLines = (text: string) =>
  text
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));

/** The lines of a CSV file after the header. */
export const linesOf = (csv: string): string[] => csv.trimEnd().split("\n").slice(1);

/** The rows of a CSV file without quotes. */
export const rowsOf = (csv: string): string[][] => linesOf(csv).map((line) => line.split(","));

/** Options that make training quick. */
export const QUICK = ["--flow", "nsf", "--transforms", "1", "--hidden", "8", "--epochs", "2"];

/** Fits a small model to a table and returns its path. */
export async function quickModel(
  { path, pushforward }: Workplace,
  data: string,
  name: string,
  ...options: string[]
) {
  const model = path(`${name}.safetensors`);
  const { code, err } = await pushforward(["fit", data, ...QUICK, "-o", model, ...options]);
  if (code !== 0) throw new Error(err);
  return model;
}

/** A table of two correlated columns, `a` and `b`, from a fixed formula. */
export function correlated(rows: number): string {
  const lines = Array.from({ length: rows }, (_, i) => {
    const a = Math.sin(12.9898 * i) * 4;
    return `${a.toFixed(4)},${(a / 2 + Math.cos(78.233 * i)).toFixed(4)}`;
  });
  return ["a,b", ...lines, ""].join("\n");
}
