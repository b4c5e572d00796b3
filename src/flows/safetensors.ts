import { type ErrorDetails, PushforwardError } from "../errors.ts";
import { brief } from "../parse.ts";

/** An array as a model file holds it: `values` in row-major order, as many as the product of `shape`. */
export interface StoredArray {
  readonly shape: readonly number[];
  readonly values: Float32Array | Float64Array | Int32Array | Uint8Array;
}

/** What a model file holds: named arrays, and a text for each key of the metadata. */
export interface Safetensors {
  readonly arrays: Map<string, StoredArray>;
  readonly metadata: Record<string, string>;
}

/** The element types, in the order in which their arrays follow each other: the widest first. */
const DTYPES = { F64: Float64Array, F32: Float32Array, I32: Int32Array, U8: Uint8Array } as const;
type Dtype = keyof typeof DTYPES;
const DTYPE_ORDER = Object.keys(DTYPES) as Dtype[];

/** The reference implementation refuses longer headers. */
const MAX_HEADER_BYTES = 100_000_000;

const BRACE = 0x7b;
const SPACE = 0x20;

/**
 * Writes arrays and metadata as the bytes of a `.safetensors` file. Equal input gives equal bytes.
 *
 * The file is the length of its header (8 bytes, little-endian), the header in JSON, and the values:
 *
 *     {"__metadata__":{"key":"text"},"name":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]}}
 *
 * Arrays are ordered by element type, the widest first, then by name, and spaces pad the header to a
 * multiple of 8 bytes: every array begins at a multiple of its element size, as the reference
 * implementation has it. The format: https://github.com/huggingface/safetensors#format
 *
 * Throws `SHAPE` if a shape does not fit its values, `ARGUMENT` for a text that the format cannot hold.
 */
export function encodeSafetensors(
  arrays: ReadonlyMap<string, StoredArray> | Readonly<Record<string, StoredArray>>,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array {
  const entries: [string, StoredArray][] = arrays instanceof Map ? [...arrays] : Object.entries(arrays);
  const ordered = entries
    .map(([name, array]) => ({ name, ...array, dtype: checkedDtype(name, array) }))
    .sort((a, b) => DTYPE_ORDER.indexOf(a.dtype) - DTYPE_ORDER.indexOf(b.dtype) || compare(a.name, b.name));

  const texts = Object.entries(metadata).sort(([a], [b]) => compare(a, b));
  const fields: string[] = [];
  if (texts.length) {
    fields.push(`"__metadata__":{${texts.map(([key, text]) => `${quote(key)}:${quote(text)}`).join()}}`);
  }
  let dataSize = 0;
  for (const { name, dtype, shape, values } of ordered) {
    const data_offsets = [dataSize, dataSize + values.byteLength];
    fields.push(`${quote(name)}:${JSON.stringify({ dtype, shape, data_offsets })}`);
    dataSize += values.byteLength;
  }
  const header = new TextEncoder().encode(`{${fields.join()}}`);
  const headerSize = Math.ceil(header.length / 8) * 8;
  if (headerSize > MAX_HEADER_BYTES) {
    throw new PushforwardError("ARGUMENT", "The names and the metadata are too long for a model file", {
      expected: `at most ${MAX_HEADER_BYTES} bytes`,
      received: `${headerSize} bytes`,
    });
  }

  const bytes = new Uint8Array(8 + headerSize + dataSize);
  new DataView(bytes.buffer).setUint32(0, headerSize, true);
  bytes.fill(SPACE, 8, 8 + headerSize);
  bytes.set(header, 8);
  let position = 8 + headerSize;
  for (const { values } of ordered) {
    bytes.set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength), position);
    position += values.byteLength;
  }
  return bytes;
}

/**
 * Reads the bytes of a `.safetensors` file, whoever wrote it, with arrays of type F64, F32, I32 and U8.
 *
 * The values are copies: changing them leaves `bytes` as it was. Nothing in the file is trusted: every
 * length and offset is checked against the file before it is used.
 *
 * Throws `MODEL` if the bytes are not a safetensors file, are only the first part of one, or are damaged.
 */
export function decodeSafetensors(bytes: Uint8Array): Safetensors {
  const headerEnd = 8 + headerSizeOf(bytes);
  if (headerEnd > bytes.length) throw truncated(`${headerEnd} bytes or more`, bytes.length);
  const { entries, metadata } = parseHeader(bytes.subarray(8, headerEnd));
  checkLayout(entries, bytes.length, headerEnd);
  const arrays = new Map<string, StoredArray>();
  for (const { name, dtype, shape, begin, end } of entries) {
    const copy = new Uint8Array(end - begin);
    copy.set(bytes.subarray(headerEnd + begin, headerEnd + end));
    arrays.set(name, { shape, values: new DTYPES[dtype](copy.buffer) });
  }
  return { arrays, metadata };
}

/**
 * How long a file is, as far as its first bytes tell: 8 bytes, then its header, then all of it. So a reader needs no more
 * than that. Throws `MODEL` as soon as the bytes cannot be those of a safetensors file.
 */
export function declaredSize(bytes: Uint8Array): number {
  if (bytes.length < 8) return 8;
  const headerEnd = 8 + headerSizeOf(bytes);
  if (bytes.length < headerEnd) return headerEnd;
  const { entries } = parseHeader(bytes.subarray(8, headerEnd));
  return entries.reduce((most, { end }) => Math.max(most, headerEnd + end), headerEnd);
}

/** An array in the header, its bytes counted from the end of the header. */
interface Entry {
  name: string;
  dtype: Dtype;
  shape: readonly number[];
  begin: number;
  end: number;
}

function headerSizeOf(bytes: Uint8Array): number {
  if (bytes.length < 8) throw truncated("8 bytes or more", bytes.length);
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const size = view.getUint32(0, true) + view.getUint32(4, true) * 2 ** 32;
  if (size < 2 || size > MAX_HEADER_BYTES || (bytes.length > 8 && bytes[8] !== BRACE)) {
    throw new PushforwardError("MODEL", "This is not a safetensors file", {
      expected: "the length of a JSON header, then the header",
      received: `bytes ${Array.from(bytes.subarray(0, 9), (byte) => byte.toString(16).padStart(2, "0")).join(" ")}`,
      hint: "Give a model file that pushforward wrote.",
    });
  }
  return size;
}

function parseHeader(bytes: Uint8Array): { entries: Entry[]; metadata: Record<string, string> } {
  let text: string;
  let header: Record<string, unknown>;
  try {
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
    header = JSON.parse(text);
  } catch (cause) {
    throw damaged("The header of the model file is not JSON in UTF-8", { cause });
  }
  const twice = repeatedKey(text);
  if (twice !== undefined) throw damaged(`The header of the model file has the key ${brief(twice)} twice`);

  const { __metadata__: metadata = {}, ...arrays } = header;
  if (!isRecord(metadata) || !Object.values(metadata).every((value) => typeof value === "string")) {
    throw damaged("The metadata of the model file is not a table of texts");
  }
  const entries = Object.entries(arrays).map(([name, info]) => parseEntry(name, info));
  return { entries, metadata: metadata as Record<string, string> };
}

function parseEntry(name: string, info: unknown): Entry {
  const array = `Array ${brief(name)} of the model file`;
  const { dtype, shape, data_offsets: offsets } = isRecord(info) ? info : {};
  if (typeof dtype !== "string" || !isSizes(shape) || !isSizes(offsets) || offsets.length !== 2) {
    throw damaged(`${array} is not described`, { expected: "a dtype, a shape and two data_offsets" });
  }
  if (!isDtype(dtype)) {
    throw new PushforwardError("MODEL", `${array} has an element type that pushforward does not read`, {
      expected: DTYPE_ORDER.join(", "),
      received: brief(dtype),
      hint: "Store it as F32.",
    });
  }
  const [begin, end] = offsets as [number, number];
  const size = countOf(shape) * DTYPES[dtype].BYTES_PER_ELEMENT;
  if (end - begin !== size) {
    throw damaged(`${array} does not fit its shape`, {
      expected: `${size} bytes for ${dtype} ${brief(shape)}`,
      received: `${end - begin} bytes`,
    });
  }
  return { name, dtype, shape, begin, end };
}

/** The arrays follow each other without a hole and end with the file. */
function checkLayout(entries: readonly Entry[], fileSize: number, headerEnd: number): void {
  let position = 0;
  for (const { name, begin, end } of entries.toSorted((a, b) => a.begin - b.begin || a.end - b.end)) {
    if (begin !== position) {
      const where = begin < position ? "overlaps the array before it" : "leaves a hole before it";
      throw damaged(`Array ${brief(name)} of the model file ${where}`, {
        expected: `offset ${position}`,
        received: `${begin}`,
      });
    }
    position = end;
  }
  if (headerEnd + position > fileSize) throw truncated(`${headerEnd + position} bytes`, fileSize);
  if (headerEnd + position < fileSize) {
    throw damaged("The model file goes on after its last array", {
      expected: `${headerEnd + position} bytes`,
      received: `${fileSize} bytes`,
    });
  }
}

/** The first key that stands twice in one object of the valid JSON `text`; JSON.parse keeps the last. */
function repeatedKey(text: string): string | undefined {
  const open: Set<string>[] = [];
  let latest = "";
  for (let i = 0; i < text.length; i++) {
    if (text[i] === "{") open.push(new Set());
    else if (text[i] === "}") open.pop();
    else if (text[i] === '"') {
      const start = i++;
      while (text[i] !== '"') i += text[i] === "\\" ? 2 : 1;
      latest = text.slice(start, i + 1);
    } else if (text[i] === ":") {
      const key: string = JSON.parse(latest);
      const keys = open.at(-1)!;
      if (keys.has(key)) return key;
      keys.add(key);
    }
  }
  return undefined;
}

function checkedDtype(name: string, { shape, values }: StoredArray): Dtype {
  if (!isSizes(shape) || countOf(shape) !== values.length) {
    throw new PushforwardError("SHAPE", `Array ${brief(name)} does not fit its shape`, {
      expected: `the values of shape ${brief(shape)}`,
      received: `${values.length} values`,
    });
  }
  if (name === "__metadata__") {
    throw new PushforwardError("ARGUMENT", "An array cannot be named __metadata__", {
      hint: "The format keeps this name for itself: choose another one.",
    });
  }
  return DTYPE_ORDER.find((dtype) => values instanceof DTYPES[dtype])!;
}

function quote(text: string): string {
  // JSON.stringify would escape half of a surrogate pair, and other readers refuse that.
  if (/\p{Surrogate}/u.test(text)) {
    throw new PushforwardError("ARGUMENT", `The text ${brief(text)} is not valid Unicode`);
  }
  return JSON.stringify(text);
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function countOf(shape: readonly number[]): number {
  return shape.reduce((product, length) => product * length, 1);
}

function isSizes(value: unknown): value is readonly number[] {
  return Array.isArray(value) && value.every((size) => Number.isSafeInteger(size) && size >= 0);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isDtype(name: string): name is Dtype {
  return Object.hasOwn(DTYPES, name);
}

function truncated(expected: string, received: number): PushforwardError {
  return new PushforwardError("MODEL", "The model file is truncated", {
    expected,
    received: `${received} bytes`,
    hint: "It was not written or copied to its end: copy it again from where it came.",
  });
}

function damaged(what: string, details: ErrorDetails = {}): PushforwardError {
  return new PushforwardError("MODEL", what, {
    hint: "The file is damaged: copy it again from where it came.",
    ...details,
  });
}
