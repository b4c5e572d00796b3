import { createReadStream } from "node:fs";
import { open, readdir, readFile, stat } from "node:fs/promises";
import { basename, dirname } from "node:path";
import { pipeline } from "node:stream/promises";
import { createGunzip } from "node:zlib";
import { PushforwardError } from "../errors.ts";
import { FORMATS, type FormatName, formatOf, formatOfContent } from "./format.ts";
import { nearestName } from "./nearestName.ts";

/** A file that was looked at before it is read as a table. */
export interface SourceFile {
  readonly path: string;
  readonly format: FormatName;
  readonly gzip: boolean;
  /** The first bytes, decompressed: enough for any header. */
  readonly head: Buffer;
}

const HEAD_BYTES = 1 << 20;

/**
 * Finds out how `path` is to be read.
 *
 * A gzip file is decompressed once to its end: DuckDB takes a truncated one for the end of the data, and rows would
 * be lost without a word.
 *
 * @throws FILE when there is no such file, or it is a directory, unreadable, damaged or not a table; DATA when empty.
 */
export async function inspectFile(path: string): Promise<SourceFile> {
  const { bytes, gzip } = await readHead(path);
  const named = formatOf(path);
  if (named?.gzip && !gzip && bytes.length > 0) {
    throw new PushforwardError("FILE", `${path} is not a gzip file, although its name says so`, {
      mend: "Compress it again, or take .gz from its name.",
    });
  }
  const head = gzip ? await gunzipHead(path) : bytes;
  if (
    head
      .toString("latin1")
      .replace(/^\xEF\xBB\xBF/, "")
      .trim() === ""
  ) {
    throw new PushforwardError("DATA", `${path} is empty`, { expected: "a table" });
  }
  const content = formatOfContent(head);
  const format = named?.name ?? content;
  if (format && content && (format === "parquet") === (content === "parquet"))
    return { path, format, gzip, head };

  const utf16 = /^(\xFF\xFE|\xFE\xFF)/.test(head.toString("latin1"));
  throw new PushforwardError("FILE", `${path} cannot be read as ${format ?? "a table"}`, {
    expected: named ? `the content of a ${format} file` : `a file in one of the formats ${FORMATS}`,
    received: utf16
      ? "UTF-16 text"
      : content === "parquet"
        ? "a Parquet file"
        : content
          ? "text"
          : "binary data",
    mend: utf16
      ? `Convert it: iconv -f utf-16 -t utf-8 '${path}' > utf8.csv`
      : "Export the table again, and give the file the ending of its format.",
  });
}

/**
 * All bytes of a file that is no table.
 *
 * @throws FILE when there is no such file, or it is a directory or unreadable.
 */
export async function readBytes(path: string): Promise<Uint8Array> {
  try {
    return await readFile(path);
  } catch (error) {
    throw await readError(error, path);
  }
}

async function readHead(path: string): Promise<{ bytes: Buffer; gzip: boolean }> {
  try {
    if ((await stat(path)).isDirectory()) {
      throw new PushforwardError("FILE", `${path} is a directory`, {
        expected: "a file",
        mend: `To read all its files, use a query: "FROM '${path.replace(/\/+$/, "")}/*.parquet'"`,
      });
    }
    const handle = await open(path);
    try {
      const { buffer, bytesRead } = await handle.read(Buffer.alloc(HEAD_BYTES), 0, HEAD_BYTES, 0);
      const bytes = buffer.subarray(0, bytesRead);
      return { bytes, gzip: bytes[0] === 0x1f && bytes[1] === 0x8b };
    } finally {
      await handle.close();
    }
  } catch (error) {
    throw await readError(error, path);
  }
}

async function gunzipHead(path: string): Promise<Buffer> {
  const kept: Buffer[] = [];
  let length = 0;
  try {
    await pipeline(createReadStream(path), createGunzip(), async (chunks: AsyncIterable<Buffer>) => {
      for await (const chunk of chunks) {
        if (length < HEAD_BYTES) kept.push(chunk);
        length += chunk.length;
      }
    });
  } catch (error) {
    throw new PushforwardError("FILE", `${path} is a damaged gzip file (${(error as Error).message})`, {
      mend: "Copy or compress it again.",
      cause: error,
    });
  }
  return Buffer.concat(kept);
}

async function readError(error: unknown, path: string): Promise<unknown> {
  const code = (error as NodeJS.ErrnoException).code;
  if (code === "ENOENT" || code === "ENOTDIR") {
    const siblings = await readdir(dirname(path)).catch(() => []);
    const nearest = nearestName(basename(path), siblings);
    const glob = /[*?]/.test(path) ? `To read several files, use a query: "FROM '${path}'"` : undefined;
    return new PushforwardError("FILE", `There is no file ${path || '""'}`, {
      mend: glob ?? (nearest ? `Did you mean ${nearest}?` : "Check the path."),
      cause: error,
    });
  }
  if (code === "EISDIR")
    return new PushforwardError("FILE", `${path} is a directory`, { expected: "a file", cause: error });
  if (code === "EACCES" || code === "EPERM") {
    return new PushforwardError("FILE", `Cannot read ${path}: permission denied`, {
      mend: `Allow reading: chmod u+r '${path}'`,
      cause: error,
    });
  }
  return error;
}
