import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { decodeSafetensors, encodeSafetensors, type StoredArray } from "../../src/parts/safetensors.ts";
import { ARRAYS, DATA, file, HEADER, METADATA } from "./safetensorsFile.ts";

const LENGTHS = fc.array(fc.nat({ max: 4 }), { maxLength: 3 });
const TEXT = fc.string({ unit: "grapheme" });

/** Arbitrary arrays of one element type. */
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
  test("writes the same bytes as the reference implementation", () => {
    // 191 bytes of header, then one space.
    expect(encodeSafetensors(ARRAYS, METADATA)).toEqual(file(`${HEADER} `, DATA));
  });

  test("writes a file without arrays", () => {
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

  test("writes only the part of a buffer that a subarray covers", () => {
    const values = Float32Array.of(1, 2, 3, 4).subarray(1, 3);
    const { arrays } = decodeSafetensors(encodeSafetensors({ part: { shape: [2], values } }));
    expect(arrays.get("part")!.values).toEqual(Float32Array.of(2, 3));
  });

  test.each([[[2]], [[-3]], [[1.5, 2]], [[3, 0]]])("throws for shape %j and 3 values", (shape) => {
    expect(() => encodeSafetensors({ w: { shape, values: new Float32Array(3) } })).toThrow(
      `array "w" has a wrong number of values for its shape: expected the values of shape ${JSON.stringify(shape)}, received 3 values.`,
    );
  });

  test("throws for strings that the format cannot represent", () => {
    const array = { shape: [0], values: new Float32Array(0) };
    expect(() => encodeSafetensors({ __metadata__: array })).toThrowErrorMatchingInlineSnapshot(`
      [PushforwardError: an array cannot be named __metadata__.
      The format reserves this name: choose another one.]
    `);
    expect(() => encodeSafetensors({ "half \ud83d": array })).toThrowErrorMatchingInlineSnapshot(
      `[PushforwardError: the string "half \\ud83d" is not valid Unicode.]`,
    );
    expect(() => encodeSafetensors({}, { key: "\ude00" })).toThrowErrorMatchingInlineSnapshot(
      `[PushforwardError: the string "\\ude00" is not valid Unicode.]`,
    );
    expect(() => encodeSafetensors({}, { key: "x".repeat(1e8) })).toThrowErrorMatchingInlineSnapshot(
      `[PushforwardError: the names and the metadata are too long for a model file: expected at most 100000000 bytes, received 100000032 bytes.]`,
    );
  });
});

describe("decodeSafetensors", () => {
  test("decodes what encodeSafetensors encoded", () => {
    fc.assert(
      fc.property(NAMED_ARRAYS, METADATA_TEXTS, fc.nat({ max: 7 }), (arrays, metadata, shift) => {
        const bytes = encodeSafetensors(arrays, metadata);
        // A part of a larger buffer, in which arrays may be unaligned.
        const shifted = new Uint8Array(bytes.length + shift + 1).subarray(shift, shift + bytes.length);
        shifted.set(bytes);
        const read = decodeSafetensors(shifted);
        expect(read.arrays).toEqual(arrays);
        expect(read.metadata).toEqual(metadata);
        expect(encodeSafetensors(read.arrays, read.metadata)).toEqual(bytes);
      }),
    );
  });

  test("decodes files of other programs: unaligned, in any order, with spaces and unknown fields", () => {
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

  test("returns copies of the values", () => {
    const bytes = encodeSafetensors(ARRAYS);
    const before = bytes.slice();
    decodeSafetensors(bytes).arrays.get("z")!.values.fill(1);
    expect(bytes).toEqual(before);
  });

  test("keeps names that are special in JavaScript", () => {
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
