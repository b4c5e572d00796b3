import { constants, createReadStream, createWriteStream, existsSync, open, type ReadStream } from "node:fs";
import { Socket } from "node:net";
import { homedir } from "node:os";
import { sep } from "node:path";
import { pipeline } from "node:stream/promises";
import { isatty } from "node:tty";
import { promisify } from "node:util";
import { PushforwardError } from "../../check/index.ts";
import { FileVersion, interruptedError } from "../../files/index.ts";
import { Database, stringLiteral } from "./database.ts";
import { temporaryDirectoryFullError } from "./databaseError.ts";
import { inspectFile, type SourceFile, statSource } from "./sourceFile.ts";

/** The name of standard input in messages. */
export const STANDARD_INPUT = "standard input";

export const isStandardInput = (source: string): boolean => /^(-|\/dev\/stdin|\/dev\/fd\/0)$/.test(source);

const PATTERN = /[*?[]/;

/** Expands `~` at the start of a path, as a shell does. */
export const expandHome = (path: string): string =>
  /^~(?=\/|$)/.test(path) && !existsSync(path) ? homedir() + path.slice(1) : path;

/**
 * Finds the file with exactly this path, or else the files that match the path as a pattern, sorted by name. Standard input and pipes are
 * copied to a temporary file, because a table is read several times.
 *
 * @throws FILE if there is no file, or for a device or a directory; the errors of `inspectFile`.
 */
export async function locateFiles(path: string, database: Database): Promise<SourceFile[]> {
  const { signal } = database;
  if (isStandardInput(path)) return [await inspectStandardInput(database)];
  if (isPattern(path)) {
    const files: SourceFile[] = [];
    for (const file of await matchingFiles(path, database)) files.push(await inspectVersion(file, signal));
    return files;
  }
  const stats = await statSource(path);
  if (stats.isFile()) return [await inspectVersion(path, signal)];
  if (stats.isFIFO()) return [await inspectPipe(await openPipe(path), path, database)];
  throw new PushforwardError("FILE", `${path} is a ${stats.isSocket() ? "socket" : "device"}`, {
    expected: "a file or a pipe",
    hint: "Give a file, or a pipe to read from.",
  });
}

/** Whether a path is a pattern of files, and not a file of this name. */
export const isPattern = (path: string): boolean => PATTERN.test(path) && !existsSync(path);

/** The files that match a pattern, sorted by name. Throws `FILE` if there is none. */
async function matchingFiles(pattern: string, database: Database): Promise<string[]> {
  const matches = await database.run(`SELECT file FROM glob(${stringLiteral(pattern)}) ORDER BY file`);
  if (matches.length > 0) return matches.map(([file]) => file as string);
  throw new PushforwardError("FILE", `No file matches ${pattern}`, { hint: "Check the pattern." });
}

/** The paths, with each pattern replaced by the files that match it. Files are not opened. Throws `FILE` if no file matches. */
export async function expandPatterns(
  paths: readonly string[],
  signal: AbortSignal | undefined,
): Promise<string[]> {
  const database = await Database.open("the files", signal);
  try {
    const files: string[][] = [];
    for (const path of paths.map(expandHome))
      files.push(isPattern(path) ? await matchingFiles(path, database) : [path]);
    // Not `push(...)`, whose arguments have to fit on the stack: a pattern may match more than 100,000 files.
    return files.flat();
  } finally {
    await database.close();
  }
}

async function inspectVersion(path: string, signal: AbortSignal | undefined): Promise<SourceFile> {
  const version = await FileVersion.of(path);
  return { ...(await inspectFile(path, { signal })), version };
}

/** Escapes the path of a file for DuckDB, which otherwise expands patterns and opens URLs. */
export function exactPath(path: string): string {
  if (PATTERN.test(path) && sep === "/" && path.includes("\\")) {
    throw new PushforwardError("FILE", `DuckDB cannot open ${path}`, {
      expected: "a path without a backslash, or without *, ? and [",
      hint: "Rename it.",
    });
  }
  const scheme = /^\w+:/.test(path) && sep === "/";
  return `${scheme ? "./" : ""}${path.replace(/[*?[]/g, "[$&]")}`;
}

/** Opens a pipe for non-blocking reads, because a blocking read of a pipe without a writer cannot be interrupted. */
async function openPipe(path: string): Promise<Socket> {
  const inherited = /^\/(?:dev|proc\/self)\/fd\/(\d+)$/.exec(path);
  if (inherited) return new Socket({ fd: Number(inherited[1]), writable: false });
  const fd = await promisify(open)(path, constants.O_RDONLY | constants.O_NONBLOCK, 0);
  return new Socket({ fd, writable: false });
}

/** Reads descriptor 0, because in a worker thread `process.stdin` is a different stream. */
async function inspectStandardInput(database: Database): Promise<SourceFile> {
  if (isatty(0)) {
    throw new PushforwardError("ARGUMENT", "Standard input is a terminal", {
      expected: "a table",
      hint: "Use a pipe, as in cat table.csv | pushforward ..., or give a file.",
    });
  }
  return inspectPipe(createReadStream("", { fd: 0, autoClose: false }), STANDARD_INPUT, database);
}

async function inspectPipe(pipe: Socket | ReadStream, name: string, database: Database): Promise<SourceFile> {
  const { signal } = database;
  const copy = await database.temporaryFile();
  try {
    await pipeline(pipe, createWriteStream(copy), { ...(signal && { signal }) });
  } catch (error) {
    if (signal?.aborted) throw interruptedError(name, error);
    if ((error as NodeJS.ErrnoException).code === "ENOSPC") throw temporaryDirectoryFullError(error);
    throw error;
  }
  return inspectFile(copy, { name, signal });
}
