import { createReadStream } from "node:fs";
import { pipeline, type Readable, type Transform } from "node:stream";
import { createGunzip, createInflateRaw } from "node:zlib";
import { PushforwardError } from "../../check/index.ts";
import { isGzip, readError, readRange } from "../../files/index.ts";

/** A part of a file: the bytes from `start` to `end` - 1, which may be compressed by raw deflate. */
export interface FileRange {
  readonly start: number;
  readonly end: number;
  readonly deflated: boolean;
}

/**
 * Reads a file from its beginning to its end, any number of bytes at a time. A gzip file is decompressed.
 *
 * @throws FILE if the file cannot be read, is damaged, or ends before the requested bytes do.
 */
export class ByteReader {
  private readonly path: string;
  private readonly chunks: AsyncIterator<Buffer>;
  private readonly stream: Readable;
  private buffered: Buffer = Buffer.alloc(0);

  private constructor(path: string, stream: Readable) {
    this.path = path;
    this.stream = stream;
    this.chunks = stream[Symbol.asyncIterator]();
  }

  /** A reader at the beginning of the file, or of a part of it, which is not decompressed as gzip. */
  static async open(path: string, range?: FileRange): Promise<ByteReader> {
    if (range) {
      // `end` of `createReadStream` is the last byte that it reads, and must not be before `start`.
      const bytes = createReadStream(path, { start: range.start, end: Math.max(range.start, range.end - 1) });
      return new ByteReader(path, range.deflated ? through(bytes, createInflateRaw()) : bytes);
    }
    const gzip = isGzip(await readRange(path, 2));
    const bytes = createReadStream(path, { highWaterMark: 2 ** 20 });
    return new ByteReader(path, gzip ? through(bytes, createGunzip({ chunkSize: 2 ** 18 })) : bytes);
  }

  /** The next `length` bytes. */
  async read(length: number): Promise<Buffer> {
    const parts: Buffer[] = [];
    for (let remaining = length; remaining > 0; ) {
      if (this.buffered.length === 0)
        this.buffered = (await this.next()) ?? this.fail("the file ends too early");
      const part = this.buffered.subarray(0, remaining);
      this.buffered = this.buffered.subarray(part.length);
      parts.push(part);
      remaining -= part.length;
    }
    return parts.length === 1 ? parts[0]! : Buffer.concat(parts, length);
  }

  /** Throws `FILE` if there are further bytes. */
  async expectEnd(): Promise<void> {
    if (this.buffered.length > 0 || (await this.next())) this.fail("the file is longer than its header says");
  }

  close(): void {
    this.stream.destroy();
  }

  private async next(): Promise<Buffer | undefined> {
    try {
      const { done, value } = await this.chunks.next();
      return done ? undefined : value;
    } catch (error) {
      const converted = await readError(error, this.path);
      throw converted instanceof PushforwardError ? converted : damaged(this.path, (error as Error).message);
    }
  }

  private fail(reason: string): never {
    throw damaged(this.path, reason);
  }
}

/** Decompresses a file. Unlike `pipe`, `pipeline` closes the file when the result is destroyed, and the result has the errors of the file. */
const through = (file: Readable, decompress: Transform): Readable => pipeline(file, decompress, () => {});

const damaged = (path: string, reason: string): PushforwardError =>
  new PushforwardError("FILE", `${path} is damaged: ${reason}`, {
    hint: "Download or write the file again.",
  });
