import { PushforwardError } from "../errors.ts";
import { brief } from "../parse.ts";
import { decodeSafetensors, encodeSafetensors, type Safetensors } from "./safetensors.ts";

/**
 * How a file hasChecksum after the 8 bytes of the header's length: `__metadata__` is the first field of a header, and its keys are
 * sorted. So the digits of the checksum always stand at the same place.
 */
const PREFIX = new TextEncoder().encode('{"__metadata__":{"checksum":"');
const DIGITS_START = 8 + PREFIX.length;
/** The digits are these while the checksum is computed. */
const BLANK = "00000000";
const DIGITS_END = DIGITS_START + BLANK.length;

/** The bytes of a safetensors file with a checksum over all of it in its metadata. */
export function encodeChecked(...[arrays, metadata]: Parameters<typeof encodeSafetensors>): Uint8Array {
  const bytes = encodeSafetensors(arrays, { ...metadata, checksum: BLANK });
  if (!hasChecksum(bytes)) {
    throw new PushforwardError("ARGUMENT", 'the metadata has a key that comes before "checksum"');
  }
  bytes.set(new TextEncoder().encode(checksum(bytes)), DIGITS_START);
  return bytes;
}

/**
 * Reads a safetensors file; `checked` tells whether it has a checksum. Throws `MODEL` where `decodeSafetensors` does, and
 * when the checksum is not that of the bytes.
 */
export function decodeChecked(bytes: Uint8Array): Safetensors & { readonly checked: boolean } {
  const { arrays, metadata } = decodeSafetensors(bytes);
  const { checksum: _, ...rest } = metadata;
  const checked = hasChecksum(bytes);
  if (checked) {
    const [expected, received] = [metadata.checksum, checksum(bytes)];
    if (received !== expected) throw changedFile(`the checksum ${brief(expected)}`, brief(received));
  }
  return { arrays, metadata: rest, checked };
}

export const changedFile = (expected: string, received: string): PushforwardError =>
  new PushforwardError("MODEL", "the file was changed since it was written", {
    expected,
    received,
    hint: "The file is damaged: copy it again from where it came.",
  });

const hasChecksum = (bytes: Uint8Array): boolean => PREFIX.every((byte, i) => bytes[8 + i] === byte);

/** CRC-32 of the file with zeros for the digits of the checksum. */
function checksum(bytes: Uint8Array): string {
  const parts = [
    bytes.subarray(0, DIGITS_START),
    new TextEncoder().encode(BLANK),
    bytes.subarray(DIGITS_END),
  ];
  return (parts.reduce(crc32, 0) >>> 0).toString(16).padStart(BLANK.length, "0");
}

/** Row k: what a byte becomes that k more bytes follow. */
const TABLES = crcTables(8);

function crcTables(count: number): Int32Array[] {
  const first = Int32Array.from({ length: 256 }, (_, byte) => {
    let crc = byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
    return crc;
  });
  const tables = [first];
  while (tables.length < count) {
    const before = tables[tables.length - 1];
    tables.push(before.map((crc) => (crc >>> 8) ^ first[crc & 0xff]));
  }
  return tables;
}

/**
 * The CRC-32 of zip, PNG and zlib, of bytes that follow others of checksum `crc`. It finds every change of up to 32 bits in a row.
 * Eight bytes at a time (Kounavis and Berry 2005): 50 MB take about a tenth of a second.
 */
function crc32(crc: number, bytes: Uint8Array): number {
  const [t0, t1, t2, t3, t4, t5, t6, t7] = TABLES;
  let sum = ~crc;
  let i = 0;
  for (; i + 8 <= bytes.length; i += 8) {
    sum ^= bytes[i] | (bytes[i + 1] << 8) | (bytes[i + 2] << 16) | (bytes[i + 3] << 24);
    sum =
      t7[sum & 0xff] ^
      t6[(sum >>> 8) & 0xff] ^
      t5[(sum >>> 16) & 0xff] ^
      t4[sum >>> 24] ^
      t3[bytes[i + 4]] ^
      t2[bytes[i + 5]] ^
      t1[bytes[i + 6]] ^
      t0[bytes[i + 7]];
  }
  for (; i < bytes.length; i++) sum = (sum >>> 8) ^ t0[(sum ^ bytes[i]) & 0xff];
  return ~sum;
}
