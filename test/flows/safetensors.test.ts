import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { PushforwardError } from "../../src/errors.ts";
import { decodeSafetensors, encodeSafetensors, type StoredArray } from "../../src/flows/safetensors.ts";

/**
 * As safetensors 0.5.2 for Python (the reference implementation) writes it:
 *
 *     serialize({"b": {"dtype": "uint8", "shape": [3], "data": bytes([1, 2, 255])},
 *                "a": {"dtype": "float32", "shape": [], "data": struct.pack("<f", 0.5)},
 *                "z": {"dtype": "float64", "shape": [1, 1], "data": struct.pack("<d", -2)}}, {"ä": "1\n"})
 */
const HEADER =
  '{"__metadata__":{"ä":"1\\n"},"z":{"dtype":"F64","shape":[1,1],"data_offsets":[0,8]},' +
  '"a":{"dtype":"F32","shape":[],"data_offsets":[8,12]},"b":{"dtype":"U8","shape":[3],"data_offsets":[12,15]}}';
const DATA = [0, 0, 0, 0, 0, 0, 0, 0xc0, 0, 0, 0, 0x3f, 1, 2, 255];
const ARRAYS: Record<string, StoredArray> = {
  b: { shape: [3], values: Uint8Array.of(1, 2, 255) },
  a: { shape: [], values: Float32Array.of(0.5) },
  z: { shape: [1, 1], values: Float64Array.of(-2) },
};
const METADATA = { ä: "1\n" };

/** A file with the given header, right or wrong, and its length before it. */
function file(header: string, data: Iterable<number> = []): Uint8Array {
  const text = new TextEncoder().encode(header);
  const length = new Uint8Array(8);
  new DataView(length.buffer).setUint32(0, text.length, true);
  return Uint8Array.from([...length, ...text, ...data]);
}

const LENGTHS = fc.array(fc.nat({ max: 4 }), { maxLength: 3 });
const TEXT = fc.string({ unit: "grapheme" });

/** Any array, given what makes the values of one type. */
function storedArray(Values: new (bytes: ArrayBuffer) => StoredArray["values"]): fc.Arbitrary<StoredArray> {
  const width = new Values(new ArrayBuffer(8)).BYTES_PER_ELEMENT;
  return LENGTHS.chain((shape) => {
    const size = shape.reduce((a, b) => a * b, 1) * width;
    return fc
      .uint8Array({ minLength: size, maxLength: size })
      .map((bytes) => ({ shape, values: new Values(bytes.slice().buffer) }));
  });
}

const NAMED_ARRAYS = fc
  .uniqueArray(
    fc.tuple(TEXT, fc.oneof(...[Float32Array, Float64Array, Int32Array, Uint8Array].map(storedArray))),
    {
      selector: ([name]) => name,
      maxLength: 6,
    },
  )
  .map((entries) => new Map(entries));

const METADATA_TEXTS = fc.dictionary(TEXT, TEXT, { noNullPrototype: true });

describe("encodeSafetensors", () => {
  test("writes the bytes that the reference implementation writes", () => {
    // 191 bytes of header, then one space.
    expect(encodeSafetensors(ARRAYS, METADATA)).toEqual(file(`${HEADER} `, DATA));
  });

  test("writes the smallest file", () => {
    expect(encodeSafetensors({})).toEqual(file("{}      "));
  });

  test("does not depend on the order of its input, nor on whether it is a Map", () => {
    fc.assert(
      fc.property(NAMED_ARRAYS, METADATA_TEXTS, (arrays, metadata) => {
        const bytes = encodeSafetensors(arrays, metadata);
        const reversed = Object.fromEntries(Object.entries(metadata).reverse());
        expect(encodeSafetensors(new Map([...arrays].reverse()), reversed)).toEqual(bytes);
        expect(encodeSafetensors(Object.fromEntries(arrays), metadata)).toEqual(bytes);
      }),
    );
  });

  test("aligns every array to its element size", () => {
    fc.assert(
      fc.property(NAMED_ARRAYS, (arrays) => {
        const bytes = encodeSafetensors(arrays);
        const headerSize = new DataView(bytes.buffer).getUint32(0, true);
        const header = JSON.parse(new TextDecoder().decode(bytes.subarray(8, 8 + headerSize)));
        for (const [name, { values }] of arrays) {
          expect((8 + headerSize + header[name].data_offsets[0]) % values.BYTES_PER_ELEMENT).toBe(0);
        }
      }),
    );
  });

  test("writes the part of a buffer that an array shows", () => {
    const values = Float32Array.of(1, 2, 3, 4).subarray(1, 3);
    const { arrays } = decodeSafetensors(encodeSafetensors({ part: { shape: [2], values } }));
    expect(arrays.get("part")!.values).toEqual(Float32Array.of(2, 3));
  });

  test.each([[[2]], [[-3]], [[1.5, 2]], [[3, 0]]])("refuses shape %j for 3 values", (shape) => {
    expect(() => encodeSafetensors({ w: { shape, values: new Float32Array(3) } })).toThrow(
      `Array "w" does not fit its shape: expected the values of shape ${JSON.stringify(shape)}, received 3 values.`,
    );
  });

  test("refuses texts that the format cannot hold", () => {
    const array = { shape: [0], values: new Float32Array(0) };
    expect(() => encodeSafetensors({ __metadata__: array })).toThrowErrorMatchingInlineSnapshot(`
      [PushforwardError: An array cannot be named __metadata__.
      The format keeps this name for itself: choose another one.]
    `);
    expect(() => encodeSafetensors({ "half \ud83d": array })).toThrowErrorMatchingInlineSnapshot(
      `[PushforwardError: The text "half \\ud83d" is not valid Unicode.]`,
    );
    expect(() => encodeSafetensors({}, { key: "\ude00" })).toThrowErrorMatchingInlineSnapshot(
      `[PushforwardError: The text "\\ude00" is not valid Unicode.]`,
    );
    expect(() => encodeSafetensors({}, { key: "x".repeat(1e8) })).toThrowErrorMatchingInlineSnapshot(
      `[PushforwardError: The names and the metadata are too long for a model file: expected at most 100000000 bytes, received 100000032 bytes.]`,
    );
  });
});

describe("decodeSafetensors", () => {
  test("reads back what was written", () => {
    fc.assert(
      fc.property(NAMED_ARRAYS, METADATA_TEXTS, fc.nat({ max: 7 }), (arrays, metadata, shift) => {
        const bytes = encodeSafetensors(arrays, metadata);
        // As part of a larger buffer, where arrays need not be aligned.
        const shifted = new Uint8Array(bytes.length + shift + 1).subarray(shift, shift + bytes.length);
        shifted.set(bytes);
        const read = decodeSafetensors(shifted);
        expect(read.arrays).toEqual(arrays);
        expect(read.metadata).toEqual(metadata);
        expect(encodeSafetensors(read.arrays, read.metadata)).toEqual(bytes);
      }),
    );
  });

  test("reads files that others wrote: unaligned, in any order, with spaces and other fields", () => {
    const header = `{ "b": {"dtype":"F32","shape":[1],"data_offsets":[1,5],"note":{}},
      "e": {"dtype":"F64","shape":[0,9],"data_offsets":[1,1]},
      "a": {"dtype":"U8","shape":[1],"data_offsets":[0,1]}}`;
    expect(decodeSafetensors(file(header, [7, 0, 0, 0x80, 0x3f]))).toEqual({
      arrays: new Map<string, StoredArray>([
        ["a", { shape: [1], values: Uint8Array.of(7) }],
        ["b", { shape: [1], values: Float32Array.of(1) }],
        ["e", { shape: [0, 9], values: new Float64Array(0) }],
      ]),
      metadata: {},
    });
  });

  test("gives copies", () => {
    const bytes = encodeSafetensors(ARRAYS);
    const before = bytes.slice();
    decodeSafetensors(bytes).arrays.get("z")!.values.fill(1);
    expect(bytes).toEqual(before);
  });

  test("keeps names that mean something to JavaScript", () => {
    const array = { shape: [1], values: Float32Array.of(1) };
    const arrays = new Map([
      ["__proto__", array],
      ["constructor", array],
      ["0", array],
      ["", array],
    ]);
    const metadata = Object.fromEntries([["__proto__", "text"]]);
    const read = decodeSafetensors(encodeSafetensors(arrays, metadata));
    expect(read.arrays).toEqual(arrays);
    expect(Object.entries(read.metadata)).toEqual([["__proto__", "text"]]);
  });
});

/** The message with which the bytes are refused, which must be a MODEL error. */
function refusal(bytes: Uint8Array): string {
  try {
    decodeSafetensors(bytes);
  } catch (error) {
    expect(error).toBeInstanceOf(PushforwardError);
    expect((error as PushforwardError).code).toBe("MODEL");
    expect((error as PushforwardError).hint).toBeTruthy();
    return (error as Error).message;
  }
  throw new Error("The bytes were accepted.");
}

describe("a file that is not a safetensors file", () => {
  test("but text", () => {
    expect(refusal(new TextEncoder().encode("x,y\n1,2\n3,4\n"))).toMatchInlineSnapshot(`
      "This is not a safetensors file: expected the length of a JSON header, then the header, received bytes 78 2c 79 0a 31 2c 32 0a 33.
      Give a model file that pushforward wrote."
    `);
  });

  test("but another binary format", () => {
    const onnx = Uint8Array.of(0x08, 0x0a, 0x12, 0x0b, 0, 0, 0, 0, 0x70, 0x75, 0x73);
    expect(refusal(onnx)).toMatchInlineSnapshot(`
      "This is not a safetensors file: expected the length of a JSON header, then the header, received bytes 08 0a 12 0b 00 00 00 00 70.
      Give a model file that pushforward wrote."
    `);
  });

  test("but zeros", () => {
    expect(refusal(new Uint8Array(64))).toMatchInlineSnapshot(`
      "This is not a safetensors file: expected the length of a JSON header, then the header, received bytes 00 00 00 00 00 00 00 00 00.
      Give a model file that pushforward wrote."
    `);
  });

  test("because its header would be absurdly long", () => {
    const bytes = file("{}");
    bytes.fill(0xff, 0, 8);
    expect(refusal(bytes)).toMatchInlineSnapshot(`
      "This is not a safetensors file: expected the length of a JSON header, then the header, received bytes ff ff ff ff ff ff ff ff 7b.
      Give a model file that pushforward wrote."
    `);
    new DataView(bytes.buffer).setBigUint64(0, 100_000_001n, true);
    expect(refusal(bytes)).toMatch("This is not a safetensors file");
  });
});

describe("a truncated file", () => {
  const whole = file(HEADER, DATA);

  test("is recognized wherever it ends", () => {
    for (let length = 0; length < whole.length; length++) {
      expect(refusal(whole.subarray(0, length)), `${length} bytes`).toMatch(/^The model file is truncated/);
    }
    expect(decodeSafetensors(whole).arrays.size).toBe(3);
  });

  test("before, in and after the header", () => {
    expect(refusal(whole.subarray(0, 0))).toMatchInlineSnapshot(`
      "The model file is truncated: expected 8 bytes or more, received 0 bytes.
      It was not written or copied to its end: copy it again from where it came."
    `);
    expect(refusal(whole.subarray(0, 100))).toMatchInlineSnapshot(`
      "The model file is truncated: expected 199 bytes or more, received 100 bytes.
      It was not written or copied to its end: copy it again from where it came."
    `);
    expect(refusal(whole.subarray(0, -1))).toMatchInlineSnapshot(`
      "The model file is truncated: expected 214 bytes, received 213 bytes.
      It was not written or copied to its end: copy it again from where it came."
    `);
  });
});

describe("a damaged file", () => {
  const array = (dtype: string, shape: string, offsets: string) =>
    `{"dtype":"${dtype}","shape":${shape},"data_offsets":${offsets}}`;

  test("with a header that is not JSON", () => {
    expect(refusal(file('{"a":}'))).toMatchInlineSnapshot(`
      "The header of the model file is not JSON in UTF-8.
      The file is damaged: copy it again from where it came."
    `);
    expect(refusal(file("{} {}"))).toMatch("not JSON");
    expect(refusal(file("{}\0"))).toMatch("not JSON");
  });

  test("with a header that is not UTF-8", () => {
    const bytes = file('{"a": 1}');
    bytes[10] = 0xff;
    expect(refusal(bytes)).toMatchInlineSnapshot(`
      "The header of the model file is not JSON in UTF-8.
      The file is damaged: copy it again from where it came."
    `);
  });

  test("with a name twice, however it is spelled", () => {
    const empty = array("F32", "[0]", "[0,0]");
    expect(refusal(file(`{"a":${empty},"b\\\\\\"":${empty},"\\u0061":${empty}}`))).toMatchInlineSnapshot(`
      "The header of the model file has the key "a" twice.
      The file is damaged: copy it again from where it came."
    `);
    expect(refusal(file('{"__metadata__":{"k":"1","k":"2"}}'))).toMatch('has the key "k" twice');
    expect(refusal(file('{"a":{"shape":[0],"shape":[0]}}'))).toMatch('has the key "shape" twice');
    const nested = `{"shape":${array("F32", "[0]", "[0,0]")},"dtype":"F32"}`;
    expect(refusal(file(`{"a":${nested}}`))).not.toMatch("twice");
  });

  test("with metadata other than texts", () => {
    expect(refusal(file('{"__metadata__":{"version":1}}'))).toMatchInlineSnapshot(`
      "The metadata of the model file is not a table of texts.
      The file is damaged: copy it again from where it came."
    `);
    for (const metadata of ["null", "[]", '"text"', '{"a":null}']) {
      expect(refusal(file(`{"__metadata__":${metadata}}`))).toMatch("metadata");
    }
  });

  test("with an array that is not described", () => {
    expect(refusal(file('{"weight":1}'))).toMatchInlineSnapshot(`
      "Array "weight" of the model file is not described: expected a dtype, a shape and two data_offsets.
      The file is damaged: copy it again from where it came."
    `);
    for (const description of [
      "null",
      "[]",
      "{}",
      '{"dtype":"F32","shape":[0]}',
      array("F32", "0", "[0,0]"),
      array("F32", "[-1]", "[0,4]"),
      array("F32", "[0.5]", "[0,2]"),
      array("F32", '["1"]', "[0,4]"),
      array("F32", "[1e400]", "[0,4]"),
      array("F32", "[0]", "[0]"),
      array("F32", "[0]", "[0,0,0]"),
      array("F32", "[1]", "[-4,0]"),
      array("F32", "[1]", "[0.5,4.5]"),
      array("F32", "[1]", "[9007199254740992,9007199254740996]"),
    ]) {
      expect(refusal(file(`{"a":${description}}`, [0, 0, 0, 0])), description).toMatch("is not described");
    }
  });

  test("with an element type that is not ours", () => {
    expect(refusal(file(`{"half":${array("F16", "[2]", "[0,4]")}}`, [0, 0, 0, 0]))).toMatchInlineSnapshot(`
      "Array "half" of the model file has an element type that pushforward does not read: expected F64, F32, I32, U8, received "F16".
      Store it as F32."
    `);
    expect(refusal(file(`{"a":${array("toString", "[2]", "[0,4]")}}`))).toMatch("element type");
  });

  test("with a shape that does not fit its bytes", () => {
    expect(refusal(file(`{"a":${array("F32", "[2,3]", "[0,20]")}}`, DATA))).toMatchInlineSnapshot(`
      "Array "a" of the model file does not fit its shape: expected 24 bytes for F32 [2,3], received 20 bytes.
      The file is damaged: copy it again from where it came."
    `);
    const large = "9007199254740991";
    for (const [shape, offsets] of [
      ["[]", "[0,0]"],
      ["[1]", "[4,0]"],
      [`[${large}]`, "[0,4]"],
      [`[${large},${large},2]`, `[0,${large}]`],
      [`[${Array(30).fill(large)},0]`, "[0,0]"],
    ]) {
      expect(refusal(file(`{"a":${array("F32", shape!, offsets!)}}`, DATA))).toMatch(
        "does not fit its shape",
      );
    }
  });

  test("with arrays that overlap", () => {
    const header = `{"a":${array("F32", "[2]", "[0,8]")},"b":${array("F32", "[2]", "[4,12]")}}`;
    expect(refusal(file(header, DATA))).toMatchInlineSnapshot(`
      "Array "b" of the model file overlaps the array before it: expected offset 8, received 4.
      The file is damaged: copy it again from where it came."
    `);
    const same = `{"a":${array("F32", "[2]", "[0,8]")},"b":${array("F32", "[2]", "[0,8]")}}`;
    expect(refusal(file(same, DATA.slice(0, 8)))).toMatch("overlaps");
  });

  test("with a hole", () => {
    const header = `{"a":${array("F32", "[1]", "[0,4]")},"b":${array("F32", "[1]", "[8,12]")}}`;
    expect(refusal(file(header, DATA))).toMatchInlineSnapshot(`
      "Array "b" of the model file leaves a hole before it: expected offset 4, received 8.
      The file is damaged: copy it again from where it came."
    `);
    expect(refusal(file(`{"a":${array("F32", "[1]", "[4,8]")}}`, DATA))).toMatch("leaves a hole");
  });

  test("with an array beyond the end of the file", () => {
    expect(
      refusal(file(`{"a":${array("U8", "[9007199254740991]", "[0,9007199254740991]")}}`)),
    ).toMatchInlineSnapshot(`
      "The model file is truncated: expected 9007199254741082 bytes, received 91 bytes.
      It was not written or copied to its end: copy it again from where it came."
    `);
  });

  test("with bytes after the last array", () => {
    expect(refusal(file(HEADER, [...DATA, 0]))).toMatchInlineSnapshot(`
      "The model file goes on after its last array: expected 214 bytes, received 215 bytes.
      The file is damaged: copy it again from where it came."
    `);
  });

  test("with a header nested deeper than the stack", () => {
    expect(refusal(file(`{"a":${"[".repeat(1e5)}${"]".repeat(1e5)}}`))).toMatch("is not described");
  });

  test("is read or refused, whatever its bytes are", () => {
    const attempt = (bytes: Uint8Array) => {
      try {
        decodeSafetensors(bytes);
      } catch (error) {
        expect(error).toBeInstanceOf(PushforwardError);
      }
    };
    const whole = file(HEADER, DATA);
    const header = fc.oneof(
      fc.string({ unit: "binary" }),
      fc.json(),
      fc.json().map((json) => `{"a":${json}}`),
    );
    fc.assert(fc.property(fc.uint8Array({ maxLength: 64 }), attempt), { numRuns: 1000 });
    fc.assert(
      fc.property(
        header.map((text) => file(text)),
        attempt,
      ),
      { numRuns: 1000 },
    );
    const flips = fc.array(fc.nat({ max: 8 * whole.length - 1 }), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(flips, (bits) => {
        const bytes = whole.slice();
        for (const bit of bits) bytes[bit >> 3]! ^= 1 << (bit & 7);
        attempt(bytes);
      }),
      { numRuns: 5000 },
    );
  });
});
