import { brief, PushforwardError } from "../check/index.ts";
import { decodeSafetensors, encodeSafetensors, type Safetensors } from "./safetensors.ts";

/**
 * The beginning of a header with a checksum, after the 8 bytes of its length. `__metadata__` is always the first field, and its
 * keys are sorted, so the digits of the checksum are always at the same offset.
 */
const HEADER_PREFIX = new TextEncoder().encode('{"__metadata__":{"checksum":"');
const DIGITS_START = 8 + HEADER_PREFIX.length;
/** The checksum is computed over the file with these digits in its place. */
const DIGITS_WHILE_COMPUTING = "00000000";
const DIGITS_END = DIGITS_START + DIGITS_WHILE_COMPUTING.length;

/** Encodes a safetensors file with a checksum of the whole file in its metadata. */
export function encodeWithChecksum(...[arrays, metadata]: Parameters<typeof encodeSafetensors>): Uint8Array {
  const bytes = encodeSafetensors(arrays, { ...metadata, checksum: DIGITS_WHILE_COMPUTING });
  if (!startsWithChecksum(bytes)) {
    throw new PushforwardError("ARGUMENT", 'the metadata has a key that comes before "checksum"');
  }
  bytes.set(new TextEncoder().encode(checksum(bytes)), DIGITS_START);
  return bytes;
}

/**
 * Decodes a safetensors file and verifies its checksum. `hasChecksum` is false for a file without one.
 *
 * @throws MODEL when the checksum is wrong, and when `decodeSafetensors` does.
 */
export function decodeWithChecksum(bytes: Uint8Array): Safetensors & { readonly hasChecksum: boolean } {
  const { arrays, metadata } = decodeSafetensors(bytes);
  const { checksum: _, ...rest } = metadata;
  const hasChecksum = startsWithChecksum(bytes);
  if (hasChecksum) {
    const [expected, received] = [metadata.checksum, checksum(bytes)];
    if (received !== expected) throw checksumError(`the checksum ${brief(expected)}`, brief(received));
  }
  return { arrays, metadata: rest, hasChecksum };
}

/** The error for a file whose checksum is wrong or missing. */
export const checksumError = (expected: string, received: string): PushforwardError =>
  new PushforwardError("MODEL", "the file was changed since it was written", {
    expected,
    received,
    hint: "The file is damaged: copy it again from its source.",
  });

const startsWithChecksum = (bytes: Uint8Array): boolean =>
  HEADER_PREFIX.every((byte, i) => bytes[8 + i] === byte);

/** CRC-32 of the file with zeros in place of the digits of the checksum. */
function checksum(bytes: Uint8Array): string {
  const parts = [
    bytes.subarray(0, DIGITS_START),
    new TextEncoder().encode(DIGITS_WHILE_COMPUTING),
    bytes.subarray(DIGITS_END),
  ];
  return (parts.reduce(crc32, 0) >>> 0).toString(16).padStart(DIGITS_WHILE_COMPUTING.length, "0");
}

/** Table k has, for each byte, its contribution to the CRC when k more bytes follow. */
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
 * Continues the CRC-32 of zip, PNG and zlib over further bytes. It detects every change of up to 32 consecutive bits.
 * It processes eight bytes at a time (Kounavis and Berry 2005): 50 MB take about a tenth of a second.
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
