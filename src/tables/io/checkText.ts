import { createReadStream } from "node:fs";
import { createGunzip } from "node:zlib";
import { PushforwardError } from "../../check/index.ts";
import { interruptedError } from "../../files/index.ts";
import type { SourceFile } from "./sourceFile.ts";

/** DuckDB's `max_line_size`. If a longer line crosses the end of a buffer, DuckDB drops this line and all after it without an error. */
const MAX_LINE_BYTES = 2_000_000;

/**
 * The largest nesting depth of JSON. A row of a table needs few levels. DuckDB's time grows with the square of the depth, and it crashes at
 * about 100,000 levels.
 */
const MAX_DEPTH = 100;

type TextFile = Omit<SourceFile, "head" | "version">;

/**
 * Reads a text file once to find errors that DuckDB does not report: it reads a truncated gzip file as if it were complete, drops
 * lines that are too long, and crashes on deeply nested JSON.
 *
 * @throws FILE if a gzip file is damaged; DATA if a line of CSV is too long, or JSON is nested too deeply; INTERRUPTED.
 */
export async function checkText(file: TextFile, signal?: AbortSignal): Promise<void> {
  if (file.format !== "csv" && file.format !== "tsv") return read(file, nestingChecker(file), signal);
  let tooLongOffset: number | undefined;
  await read(
    file,
    lineLengthChecker((offset) => {
      tooLongOffset ??= offset;
    }),
    signal,
  );
  if (tooLongOffset === undefined) return;
  const line = 1 + (await linesBefore(tooLongOffset, file, signal));
  throw new PushforwardError("DATA", `${file.name} has a line that is too long, line ${line}`, {
    expected: `lines of at most ${MAX_LINE_BYTES} bytes`,
    hint: "Shorten the line, or add the missing line breaks between rows.",
  });
}

/** Receives the chunks of a file in order. */
type ChunkVisitor = (chunk: Buffer) => void;

async function read(file: TextFile, visit: ChunkVisitor, signal?: AbortSignal): Promise<void> {
  for await (const chunk of textOf(file, signal)) visit(chunk);
}

/**
 * Streams the decompressed content of a text file.
 *
 * @throws FILE if a gzip file is damaged; INTERRUPTED.
 */
export async function* textOf(
  { path, name, gzip }: Pick<TextFile, "path" | "name" | "gzip">,
  signal?: AbortSignal,
): AsyncGenerator<Buffer> {
  const content = createReadStream(path, { highWaterMark: 1 << 18, ...(signal && { signal }) });
  const text = gzip ? content.pipe(createGunzip()) : content;
  if (text !== content) content.on("error", (error) => text.destroy(error));
  const chunks: AsyncIterator<Buffer> = text[Symbol.asyncIterator]();
  try {
    while (true) {
      const { done, value } = await chunks.next().catch((error: unknown) => {
        if (signal?.aborted) throw interruptedError(name, error);
        throw gzip ? damagedGzip(name, error) : error;
      });
      if (done) return;
      yield value;
    }
  } finally {
    content.destroy();
    text.destroy();
  }
}

const damagedGzip = (name: string, cause: unknown): PushforwardError =>
  new PushforwardError("FILE", `${name} is a damaged gzip file (${(cause as Error).message})`, {
    hint: "Copy or compress it again.",
    cause,
  });

const [NEWLINE, RETURN, QUOTE, BACKSLASH] = [0x0a, 0x0d, 0x22, 0x5c];
const [OPEN_BRACKET, CLOSE_BRACKET, OPEN_BRACE, CLOSE_BRACE] = [0x5b, 0x5d, 0x7b, 0x7d];

/** Calls `onTooLong` with the offset, in bytes, of each line that is longer than the limit. */
function lineLengthChecker(onTooLong: (offset: number) => void): ChunkVisitor {
  // The line that continues into the next chunk. A line inside one chunk is not too long, because chunks are shorter than the limit.
  let lineStart = 0;
  let lineLength = 0;
  return (chunk) => {
    const newline = chunk.indexOf(NEWLINE);
    const firstEnd = newline < 0 ? chunk.indexOf(RETURN) : newline;
    lineLength += firstEnd < 0 ? chunk.length : firstEnd;
    if (lineLength > MAX_LINE_BYTES) onTooLong(lineStart);
    if (firstEnd < 0) return;
    const lastEnd = Math.max(chunk.lastIndexOf(NEWLINE), chunk.lastIndexOf(RETURN));
    lineStart += lineLength + lastEnd - firstEnd + 1;
    lineLength = chunk.length - lastEnd - 1;
  };
}

async function linesBefore(offset: number, file: TextFile, signal?: AbortSignal): Promise<number> {
  let lines = 0;
  let remaining = offset;
  const count = (chunk: Buffer) => {
    for (const byte of chunk.subarray(0, remaining)) if (byte === NEWLINE) lines++;
    remaining = Math.max(0, remaining - chunk.length);
  };
  await read(file, count, signal);
  return lines;
}

function nestingChecker({ name }: TextFile): ChunkVisitor {
  let depth = 0;
  let line = 1;
  let inString = false;
  let escaped = false;
  return (chunk) => {
    for (let i = 0; i < chunk.length; i++) {
      const byte = chunk[i];
      if (inString) {
        if (escaped) escaped = false;
        else if (byte === BACKSLASH) escaped = true;
        else if (byte === QUOTE) inString = false;
      } else if (byte === QUOTE) inString = true;
      else if (byte === CLOSE_BRACKET || byte === CLOSE_BRACE) depth--;
      else if (byte === NEWLINE) line++;
      else if ((byte === OPEN_BRACKET || byte === OPEN_BRACE) && ++depth > MAX_DEPTH) {
        throw new PushforwardError("DATA", `${name} is nested too deeply in line ${line}`, {
          expected: 'one object per row: {"a": 1, "b": 2}',
          received: `more than ${MAX_DEPTH} nested brackets`,
        });
      }
    }
  };
}
