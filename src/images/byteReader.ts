import { createReadStream } from "node:fs";
import type { Readable } from "node:stream";
import { createGunzip, createInflateRaw } from "node:zlib";
import { PushforwardError } from "../errors.ts";
import { firstBytes, isGzip } from "../files/firstBytes.ts";
import { readError } from "../files/readBytes.ts";

/** A part of a file: bytes from `start` to `end`, which is not included, compressed by raw deflate or not. */
export interface FileRange {
  readonly start: number;
  readonly end: number;
  readonly deflated: boolean;
}

/**
 * Reads bytes of a file in pieces of the sizes that are asked for. A gzip file is decompressed.
 *
 * @throws FILE if the file cannot be read, is damaged, or ends before a piece does.
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

  static async open(path: string, range?: FileRange): Promise<ByteReader> {
    if (range) {
      // The end of `createReadStream` is included, and an empty range would be an error.
      const bytes = createReadStream(path, { start: range.start, end: Math.max(range.start, range.end - 1) });
      return new ByteReader(path, range.deflated ? bytes.pipe(createInflateRaw()) : bytes);
    }
    const gzip = isGzip(await firstBytes(path, 2));
    const bytes = createReadStream(path, { highWaterMark: 2 ** 20 });
    return new ByteReader(path, gzip ? bytes.pipe(createGunzip({ chunkSize: 2 ** 18 })) : bytes);
  }

  /** The next `length` bytes. */
  async read(length: number): Promise<Buffer> {
    const parts: Buffer[] = [];
    for (let left = length; left > 0; ) {
      if (this.buffered.length === 0)
        this.buffered = (await this.next()) ?? this.fail("the file ends too early");
      const part = this.buffered.subarray(0, left);
      this.buffered = this.buffered.subarray(part.length);
      parts.push(part);
      left -= part.length;
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

const damaged = (path: string, reason: string): PushforwardError =>
  new PushforwardError("FILE", `${path} is damaged: ${reason}`, {
    hint: "Download or write the file again.",
  });
