import { stat } from "node:fs/promises";
import { PushforwardError } from "../errors.ts";
import { readRange } from "../files/readRange.ts";
import type { FileRange } from "./byteReader.ts";

/** A file in a zip archive. */
interface ZipEntry {
  readonly name: string;
  /** Where its bytes are in the archive. */
  readonly range: FileRange;
}

const END_OF_DIRECTORY = 0x06054b50;
const DIRECTORY_ENTRY = 0x02014b50;
/** The bytes of the end record, of an entry of the directory, and of a local header, without their fields of variable length. */
const SIZES = { end: 22, entry: 46, local: 30 };
/** The longest comment of the end record, in bytes. */
const MAX_COMMENT = 65_535;

/** The files of a zip archive of at most 4 GB, stored or deflated. Throws `FILE` for other files. */
export async function zipEntries(path: string): Promise<ZipEntry[]> {
  const { size } = await stat(path);
  const tailStart = Math.max(0, size - SIZES.end - MAX_COMMENT);
  const tail = await readRange(path, size - tailStart, tailStart);
  let end = tail.length - SIZES.end;
  while (end >= 0 && tail.readUInt32LE(end) !== END_OF_DIRECTORY) end--;
  if (end < 0) throw unreadable(path, "no zip archive");
  const count = tail.readUInt16LE(end + 10);
  const [directorySize, directoryStart] = [tail.readUInt32LE(end + 12), tail.readUInt32LE(end + 16)];
  // A damaged size would allocate up to 4 GB.
  if (directoryStart + directorySize > size) throw unreadable(path, "a damaged directory");
  const directory = await readRange(path, directorySize, directoryStart);
  const entries: ZipEntry[] = [];
  for (let at = 0, i = 0; i < count; i++) {
    if (at + SIZES.entry > directory.length || directory.readUInt32LE(at) !== DIRECTORY_ENTRY)
      throw unreadable(path, "a damaged directory");
    const method = directory.readUInt16LE(at + 10);
    const compressed = directory.readUInt32LE(at + 20);
    const [nameLength, extraLength, commentLength] = [28, 30, 32].map((k) =>
      directory.readUInt16LE(at + k),
    ) as [number, number, number];
    const offset = directory.readUInt32LE(at + 42);
    if (method !== 0 && method !== 8) throw unreadable(path, `the compression method ${method}`);
    if (compressed === 0xffffffff || offset === 0xffffffff)
      throw unreadable(path, "an archive of more than 4 GB");
    const name = directory.toString("utf8", at + SIZES.entry, at + SIZES.entry + nameLength);
    // The extra fields of a local header may have a different length from those of the directory.
    const local = await readRange(path, SIZES.local, offset);
    if (local.length < SIZES.local) throw unreadable(path, "a damaged directory");
    const start = offset + SIZES.local + local.readUInt16LE(26) + local.readUInt16LE(28);
    entries.push({ name, range: { start, end: start + compressed, deflated: method === 8 } });
    at += SIZES.entry + nameLength + extraLength + commentLength;
  }
  return entries;
}

const unreadable = (path: string, received: string): PushforwardError =>
  new PushforwardError("FILE", `${path} cannot be read as an archive of arrays`, {
    expected: "a file that numpy.savez wrote",
    received,
    hint: "Save the arrays again, or each by np.save.",
  });
