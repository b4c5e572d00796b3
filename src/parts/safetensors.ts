import { brief, type ErrorDetails, PushforwardError } from "../check/index.ts";

/** An array of a safetensors file: its shape, and its values in row-major order. */
export interface StoredArray {
  readonly shape: readonly number[];
  readonly values: Float32Array | Float64Array | Int32Array | Uint8Array;
}

/** The content of a safetensors file: arrays by name, and metadata, which maps strings to strings. */
export interface Safetensors {
  readonly arrays: Map<string, StoredArray>;
  readonly metadata: Record<string, string>;
}

/** The element types, widest first: the order of the arrays in a file, so that each is aligned to its element size. */
const DTYPES = { F64: Float64Array, F32: Float32Array, I32: Int32Array, U8: Uint8Array } as const;
type Dtype = keyof typeof DTYPES;
const DTYPE_ORDER = Object.keys(DTYPES) as Dtype[];

/** The limit of the reference implementation. */
const MAX_HEADER_BYTES = 100_000_000;

const BRACE = 0x7b;
const SPACE = 0x20;

/**
 * Encodes arrays and metadata as the bytes of a `.safetensors` file. Equal input has equal output.
 *
 * The file is the length of its header (8 bytes, little-endian), the header in JSON, and the values:
 *
 *     {"__metadata__":{"key":"text"},"name":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]}}
 *
 * Arrays are ordered by element type, the widest first, then by name, and spaces pad the header to a
 * multiple of 8 bytes, so that every array begins at a multiple of its element size, as in the reference
 * implementation. The format: https://github.com/huggingface/safetensors#format
 *
 * Throws `SHAPE` if an array has a different number of values than its shape, `ARGUMENT` for strings that the format cannot
 * represent.
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
    throw new PushforwardError("ARGUMENT", "the names and the metadata are too long for a model file", {
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

/** The bytes of a file that are an argument of a function. Throws `ARGUMENT` for other values. */
export function fileBytes(value: unknown, owner: string): Uint8Array {
  if (value instanceof ArrayBuffer) return new Uint8Array(value);
  if (value instanceof Uint8Array) return value;
  throw new PushforwardError("ARGUMENT", `${owner} needs the bytes of a file`, {
    expected: "a Uint8Array or an ArrayBuffer",
    received: brief(value),
  });
}

/**
 * Decodes the bytes of a `.safetensors` file of any program, with arrays of type F64, F32, I32 and U8. The values are copies.
 * Every length and offset in the file is checked before it is used.
 *
 * Throws `MODEL` if the bytes are not a safetensors file, or a truncated or damaged one.
 */
export function decodeSafetensors(bytes: Uint8Array): Safetensors {
  const headerEnd = 8 + headerSizeOf(bytes);
  if (headerEnd > bytes.length) throw truncatedFile(`${headerEnd} bytes or more`, bytes.length);
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
 * The number of bytes to read next, given the first bytes of a file: 8 bytes for the length of the header; given these, the end
 * of the header; given the header, the size of the file. A reader thus never reads much of a file of another format. Throws
 * `MODEL` as soon as the bytes cannot be those of a safetensors file.
 */
export function declaredSize(bytes: Uint8Array): number {
  if (bytes.length < 8) return 8;
  const headerEnd = 8 + headerSizeOf(bytes);
  if (bytes.length < headerEnd) return headerEnd;
  const { entries } = parseHeader(bytes.subarray(8, headerEnd));
  return entries.reduce((most, { end }) => Math.max(most, headerEnd + end), headerEnd);
}

/** The entry of an array in the header. `begin` and `end` are byte offsets from the end of the header. */
interface Entry {
  name: string;
  dtype: Dtype;
  shape: readonly number[];
  begin: number;
  end: number;
}

function headerSizeOf(bytes: Uint8Array): number {
  if (bytes.length < 8) throw truncatedFile("8 bytes or more", bytes.length);
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const size = view.getUint32(0, true) + view.getUint32(4, true) * 2 ** 32;
  if (size < 2 || size > MAX_HEADER_BYTES || (bytes.length > 8 && bytes[8] !== BRACE)) {
    throw new PushforwardError("MODEL", "the file is not a safetensors file", {
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
    throw damagedFile("the header of the model file is not JSON in UTF-8", { cause });
  }
  const duplicate = duplicateKey(text);
  if (duplicate !== undefined)
    throw damagedFile(`the header of the model file has the key ${brief(duplicate)} twice`);

  const { __metadata__: metadata = {}, ...arrays } = header;
  if (!isRecord(metadata) || !Object.values(metadata).every((value) => typeof value === "string")) {
    throw damagedFile("the metadata of the model file does not map strings to strings");
  }
  const entries = Object.entries(arrays).map(([name, info]) => parseEntry(name, info));
  return { entries, metadata: metadata as Record<string, string> };
}

function parseEntry(name: string, info: unknown): Entry {
  const array = `array ${brief(name)} of the model file`;
  const { dtype, shape, data_offsets: offsets } = isRecord(info) ? info : {};
  if (typeof dtype !== "string" || !isShape(shape) || !isShape(offsets) || offsets.length !== 2) {
    throw damagedFile(`${array} has an incomplete entry in the header`, {
      expected: "a dtype, a shape and two data_offsets",
    });
  }
  if (!isDtype(dtype)) {
    throw new PushforwardError("MODEL", `${array} has an unsupported element type`, {
      expected: DTYPE_ORDER.join(", "),
      received: brief(dtype),
      hint: "Store it as F32.",
    });
  }
  const [begin, end] = offsets as [number, number];
  const size = elementCount(shape) * DTYPES[dtype].BYTES_PER_ELEMENT;
  if (end - begin !== size) {
    throw damagedFile(`${array} has a wrong size for its shape`, {
      expected: `${size} bytes for ${dtype} ${brief(shape)}`,
      received: `${end - begin} bytes`,
    });
  }
  return { name, dtype, shape, begin, end };
}

/** Checks that the arrays are contiguous, and end at the end of the file. */
function checkLayout(entries: readonly Entry[], fileSize: number, headerEnd: number): void {
  let position = 0;
  for (const { name, begin, end } of entries.toSorted((a, b) => a.begin - b.begin || a.end - b.end)) {
    if (begin !== position) {
      const where = begin < position ? "overlaps the array before it" : "has a gap before it";
      throw damagedFile(`array ${brief(name)} of the model file ${where}`, {
        expected: `offset ${position}`,
        received: `${begin}`,
      });
    }
    position = end;
  }
  if (headerEnd + position > fileSize) throw truncatedFile(`${headerEnd + position} bytes`, fileSize);
  if (headerEnd + position < fileSize) {
    throw damagedFile("the model file continues after its last array", {
      expected: `${headerEnd + position} bytes`,
      received: `${fileSize} bytes`,
    });
  }
}

/** The first key that an object in the valid JSON `text` has twice. `JSON.parse` would silently keep the last value. */
function duplicateKey(text: string): string | undefined {
  const openObjects: Set<string>[] = [];
  let lastString = "";
  for (let i = 0; i < text.length; i++) {
    if (text[i] === "{") openObjects.push(new Set());
    else if (text[i] === "}") openObjects.pop();
    else if (text[i] === '"') {
      const start = i++;
      while (text[i] !== '"') i += text[i] === "\\" ? 2 : 1;
      lastString = text.slice(start, i + 1);
    } else if (text[i] === ":") {
      const key: string = JSON.parse(lastString);
      const keys = openObjects.at(-1)!;
      if (keys.has(key)) return key;
      keys.add(key);
    }
  }
  return undefined;
}

function checkedDtype(name: string, { shape, values }: StoredArray): Dtype {
  if (!isShape(shape) || elementCount(shape) !== values.length) {
    throw new PushforwardError("SHAPE", `array ${brief(name)} has a wrong number of values for its shape`, {
      expected: `the values of shape ${brief(shape)}`,
      received: `${values.length} values`,
    });
  }
  if (name === "__metadata__") {
    throw new PushforwardError("ARGUMENT", "an array cannot be named __metadata__", {
      hint: "The format reserves this name: choose another one.",
    });
  }
  return DTYPE_ORDER.find((dtype) => values instanceof DTYPES[dtype])!;
}

function quote(text: string): string {
  // JSON.stringify would escape half of a surrogate pair, which other readers reject.
  if (/\p{Surrogate}/u.test(text)) {
    throw new PushforwardError("ARGUMENT", `the string ${brief(text)} is not valid Unicode`);
  }
  return JSON.stringify(text);
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function elementCount(shape: readonly number[]): number {
  return shape.reduce((product, length) => product * length, 1);
}

function isShape(value: unknown): value is readonly number[] {
  return Array.isArray(value) && value.every((size) => Number.isSafeInteger(size) && size >= 0);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isDtype(name: string): name is Dtype {
  return Object.hasOwn(DTYPES, name);
}

function truncatedFile(expected: string, received: number): PushforwardError {
  return new PushforwardError("MODEL", "the model file is truncated", {
    expected,
    received: `${received} bytes`,
    hint: "It was not completely written or copied: copy it again from its source.",
  });
}

function damagedFile(what: string, details: ErrorDetails = {}): PushforwardError {
  return new PushforwardError("MODEL", what, {
    hint: "The file is damaged: copy it again from its source.",
    ...details,
  });
}
