import { stat } from "node:fs/promises";
import { PushforwardError } from "../../check/index.ts";
import { readRange } from "../../files/index.ts";
import type { FileRange } from "./byteReader.ts";

/** A file in a zip archive. */
interface ZipEntry {
  readonly name: string;
  /** Where its bytes are in the archive. */
  readonly range: FileRange;
}

const END_OF_DIRECTORY = 0x06054b50;
const END_OF_DIRECTORY_64 = 0x06064b50;
const LOCATOR_64 = 0x07064b50;
const DIRECTORY_ENTRY = 0x02014b50;
/** The bytes of the records, without their fields of variable length. */
const SIZES = { end: 22, end64: 56, locator64: 20, entry: 46, local: 30 };
/** The longest comment of the end record, in bytes. */
const MAX_COMMENT = 65_535;
/** The value of a 32-bit field whose number is in a field of 64 bits. */
const IN_64_BITS = 0xffffffff;
/** The id of the extra field of an entry with its 64-bit numbers. */
const EXTRA_64 = 1;

/** The files of a zip or zip64 archive, stored or deflated. Throws `FILE` for other files. */
export async function zipEntries(path: string): Promise<ZipEntry[]> {
  const { count, start: directoryStart, size: directorySize } = await directoryOf(path);
  const directory = await readRange(path, directorySize, directoryStart);
  const entries: ZipEntry[] = [];
  for (let at = 0, i = 0; i < count; i++) {
    if (at + SIZES.entry > directory.length || directory.readUInt32LE(at) !== DIRECTORY_ENTRY)
      throw unreadable(path, "a damaged directory");
    const method = directory.readUInt16LE(at + 10);
    const [nameLength, extraLength, commentLength] = [28, 30, 32].map((k) =>
      directory.readUInt16LE(at + k),
    ) as [number, number, number];
    if (method !== 0 && method !== 8) throw unreadable(path, `the compression method ${method}`);
    const extraStart = at + SIZES.entry + nameLength;
    const name = directory.toString("utf8", at + SIZES.entry, extraStart);
    const [, compressed, offset] = numbersOf(
      [24, 20, 42].map((k) => directory.readUInt32LE(at + k)),
      directory.subarray(extraStart, extraStart + extraLength),
    ) as [number, number, number];
    // The extra fields of a local header may have a different length from those of the directory.
    const local = await readRange(path, SIZES.local, offset);
    if (local.length < SIZES.local) throw unreadable(path, "a damaged directory");
    const start = offset + SIZES.local + local.readUInt16LE(26) + local.readUInt16LE(28);
    entries.push({ name, range: { start, end: start + compressed, deflated: method === 8 } });
    at = extraStart + extraLength + commentLength;
  }
  return entries;
}

/** The number of entries, and where the directory is. */
async function directoryOf(path: string): Promise<{ count: number; start: number; size: number }> {
  const { size: fileSize } = await stat(path);
  const tailStart = Math.max(0, fileSize - SIZES.end - MAX_COMMENT - SIZES.locator64);
  const tail = await readRange(path, fileSize - tailStart, tailStart);
  let end = tail.length - SIZES.end;
  while (end >= 0 && tail.readUInt32LE(end) !== END_OF_DIRECTORY) end--;
  if (end < 0) throw unreadable(path, "no zip archive");
  let count = tail.readUInt16LE(end + 10);
  let [size, start] = [tail.readUInt32LE(end + 12), tail.readUInt32LE(end + 16)];
  const locator = end - SIZES.locator64;
  if (locator >= 0 && tail.readUInt32LE(locator) === LOCATOR_64) {
    const end64 = await readRange(path, SIZES.end64, Number(tail.readBigUInt64LE(locator + 8)));
    if (end64.length < SIZES.end64 || end64.readUInt32LE(0) !== END_OF_DIRECTORY_64)
      throw unreadable(path, "a damaged directory");
    [count, size, start] = [32, 40, 48].map((k) => Number(end64.readBigUInt64LE(k))) as [
      number,
      number,
      number,
    ];
  }
  // A damaged size would allocate too much memory.
  if (start + size > fileSize) throw unreadable(path, "a damaged directory");
  return { count, start, size };
}

/** Numbers of an entry of the directory. Those that need more than 32 bits are in an extra field, in the same order. */
function numbersOf(fields: readonly number[], extra: Buffer): number[] {
  for (let at = 0; at + 4 <= extra.length; at += 4 + extra.readUInt16LE(at + 2)) {
    if (extra.readUInt16LE(at) !== EXTRA_64) continue;
    let next = at + 4;
    return fields.map((field) => {
      if (field !== IN_64_BITS || next + 8 > extra.length) return field;
      next += 8;
      return Number(extra.readBigUInt64LE(next - 8));
    });
  }
  return [...fields];
}

const unreadable = (path: string, received: string): PushforwardError =>
  new PushforwardError("FILE", `${path} cannot be read as an archive of arrays`, {
    expected: "a file that numpy.savez wrote",
    received,
    hint: "Save the arrays again, or each by np.save.",
  });
