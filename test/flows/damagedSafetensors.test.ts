import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { PushforwardError } from "../../src/check/errors.ts";
import { decodeSafetensors } from "../../src/parts/safetensors.ts";
import { DATA, file, HEADER } from "./safetensorsFile.ts";

/** The message of the MODEL error that decoding the bytes throws. */
function errorOf(bytes: Uint8Array): string {
  try {
    decodeSafetensors(bytes);
  } catch (error) {
    expect(error).toBeInstanceOf(PushforwardError);
    expect((error as PushforwardError).code).toBe("MODEL");
    expect((error as PushforwardError).hint).toBeTruthy();
    return (error as Error).message;
  }
  throw new Error("decoding threw no error");
}

describe("decodeSafetensors throws for another format", () => {
  test("text", () => {
    expect(errorOf(new TextEncoder().encode("x,y\n1,2\n3,4\n"))).toMatchInlineSnapshot(`
      "the file is not a safetensors file: expected the length of a JSON header, then the header, received bytes 78 2c 79 0a 31 2c 32 0a 33.
      Give a model file that pushforward wrote."
    `);
  });

  test("a binary format", () => {
    const onnx = Uint8Array.of(0x08, 0x0a, 0x12, 0x0b, 0, 0, 0, 0, 0x70, 0x75, 0x73);
    expect(errorOf(onnx)).toMatchInlineSnapshot(`
      "the file is not a safetensors file: expected the length of a JSON header, then the header, received bytes 08 0a 12 0b 00 00 00 00 70.
      Give a model file that pushforward wrote."
    `);
  });

  test("zeros", () => {
    expect(errorOf(new Uint8Array(64))).toMatchInlineSnapshot(`
      "the file is not a safetensors file: expected the length of a JSON header, then the header, received bytes 00 00 00 00 00 00 00 00 00.
      Give a model file that pushforward wrote."
    `);
  });

  test("a header longer than the limit", () => {
    const bytes = file("{}");
    bytes.fill(0xff, 0, 8);
    expect(errorOf(bytes)).toMatchInlineSnapshot(`
      "the file is not a safetensors file: expected the length of a JSON header, then the header, received bytes ff ff ff ff ff ff ff ff 7b.
      Give a model file that pushforward wrote."
    `);
    new DataView(bytes.buffer).setBigUint64(0, 100_000_001n, true);
    expect(errorOf(bytes)).toMatch("the file is not a safetensors file");
  });
});

describe("decodeSafetensors throws for a truncated file", () => {
  const whole = file(HEADER, DATA);

  test("of any length", () => {
    for (let length = 0; length < whole.length; length++) {
      expect(errorOf(whole.subarray(0, length)), `${length} bytes`).toMatch(/^the model file is truncated/);
    }
    expect(decodeSafetensors(whole).arrays.size).toBe(3);
  });

  test("that ends before, in or after the header", () => {
    expect(errorOf(whole.subarray(0, 0))).toMatchInlineSnapshot(`
      "the model file is truncated: expected 8 bytes or more, received 0 bytes.
      It was not completely written or copied: copy it again from its source."
    `);
    expect(errorOf(whole.subarray(0, 100))).toMatchInlineSnapshot(`
      "the model file is truncated: expected 199 bytes or more, received 100 bytes.
      It was not completely written or copied: copy it again from its source."
    `);
    expect(errorOf(whole.subarray(0, -1))).toMatchInlineSnapshot(`
      "the model file is truncated: expected 214 bytes, received 213 bytes.
      It was not completely written or copied: copy it again from its source."
    `);
  });
});

describe("decodeSafetensors throws for a damaged file", () => {
  const array = (dtype: string, shape: string, offsets: string) =>
    `{"dtype":"${dtype}","shape":${shape},"data_offsets":${offsets}}`;

  test("with a header that is not JSON", () => {
    expect(errorOf(file('{"a":}'))).toMatchInlineSnapshot(`
      "the header of the model file is not JSON in UTF-8.
      The file is damaged: copy it again from its source."
    `);
    expect(errorOf(file("{} {}"))).toMatch("not JSON");
    expect(errorOf(file("{}\0"))).toMatch("not JSON");
  });

  test("with a header that is not UTF-8", () => {
    const bytes = file('{"a": 1}');
    bytes[10] = 0xff;
    expect(errorOf(bytes)).toMatchInlineSnapshot(`
      "the header of the model file is not JSON in UTF-8.
      The file is damaged: copy it again from its source."
    `);
  });

  test("with a duplicate name, also if it is escaped differently", () => {
    const empty = array("F32", "[0]", "[0,0]");
    expect(errorOf(file(`{"a":${empty},"b\\\\\\"":${empty},"\\u0061":${empty}}`))).toMatchInlineSnapshot(`
      "the header of the model file has the key "a" twice.
      The file is damaged: copy it again from its source."
    `);
    expect(errorOf(file('{"__metadata__":{"k":"1","k":"2"}}'))).toMatch('has the key "k" twice');
    expect(errorOf(file('{"a":{"shape":[0],"shape":[0]}}'))).toMatch('has the key "shape" twice');
    const nested = `{"shape":${array("F32", "[0]", "[0,0]")},"dtype":"F32"}`;
    expect(errorOf(file(`{"a":${nested}}`))).not.toMatch("twice");
  });

  test("with metadata that are not strings", () => {
    expect(errorOf(file('{"__metadata__":{"version":1}}'))).toMatchInlineSnapshot(`
      "the metadata of the model file does not map strings to strings.
      The file is damaged: copy it again from its source."
    `);
    for (const metadata of ["null", "[]", '"text"', '{"a":null}']) {
      expect(errorOf(file(`{"__metadata__":${metadata}}`))).toMatch("metadata");
    }
  });

  test("with an array that has an incomplete entry in the header", () => {
    expect(errorOf(file('{"weight":1}'))).toMatchInlineSnapshot(`
      "array "weight" of the model file has an incomplete entry in the header: expected a dtype, a shape and two data_offsets.
      The file is damaged: copy it again from its source."
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
      expect(errorOf(file(`{"a":${description}}`, [0, 0, 0, 0])), description).toMatch(
        "has an incomplete entry",
      );
    }
  });

  test("with an unsupported element type", () => {
    expect(errorOf(file(`{"half":${array("F16", "[2]", "[0,4]")}}`, [0, 0, 0, 0]))).toMatchInlineSnapshot(`
      "array "half" of the model file has an unsupported element type: expected F64, F32, I32, U8, received "F16".
      Store it as F32."
    `);
    expect(errorOf(file(`{"a":${array("toString", "[2]", "[0,4]")}}`))).toMatch("element type");
  });

  test("with a shape that does not match the number of bytes", () => {
    expect(errorOf(file(`{"a":${array("F32", "[2,3]", "[0,20]")}}`, DATA))).toMatchInlineSnapshot(`
      "array "a" of the model file has a wrong size for its shape: expected 24 bytes for F32 [2,3], received 20 bytes.
      The file is damaged: copy it again from its source."
    `);
    const large = "9007199254740991";
    for (const [shape, offsets] of [
      ["[]", "[0,0]"],
      ["[1]", "[4,0]"],
      [`[${large}]`, "[0,4]"],
      [`[${large},${large},2]`, `[0,${large}]`],
      [`[${Array(30).fill(large)},0]`, "[0,0]"],
    ]) {
      expect(errorOf(file(`{"a":${array("F32", shape!, offsets!)}}`, DATA))).toMatch(
        "has a wrong size for its shape",
      );
    }
  });

  test("with arrays that overlap", () => {
    const header = `{"a":${array("F32", "[2]", "[0,8]")},"b":${array("F32", "[2]", "[4,12]")}}`;
    expect(errorOf(file(header, DATA))).toMatchInlineSnapshot(`
      "array "b" of the model file overlaps the array before it: expected offset 8, received 4.
      The file is damaged: copy it again from its source."
    `);
    const same = `{"a":${array("F32", "[2]", "[0,8]")},"b":${array("F32", "[2]", "[0,8]")}}`;
    expect(errorOf(file(same, DATA.slice(0, 8)))).toMatch("overlaps");
  });

  test("with a gap", () => {
    const header = `{"a":${array("F32", "[1]", "[0,4]")},"b":${array("F32", "[1]", "[8,12]")}}`;
    expect(errorOf(file(header, DATA))).toMatchInlineSnapshot(`
      "array "b" of the model file has a gap before it: expected offset 4, received 8.
      The file is damaged: copy it again from its source."
    `);
    expect(errorOf(file(`{"a":${array("F32", "[1]", "[4,8]")}}`, DATA))).toMatch("has a gap");
  });

  test("with an array beyond the end of the file", () => {
    expect(
      errorOf(file(`{"a":${array("U8", "[9007199254740991]", "[0,9007199254740991]")}}`)),
    ).toMatchInlineSnapshot(`
      "the model file is truncated: expected 9007199254741082 bytes, received 91 bytes.
      It was not completely written or copied: copy it again from its source."
    `);
  });

  test("with bytes after the last array", () => {
    expect(errorOf(file(HEADER, [...DATA, 0]))).toMatchInlineSnapshot(`
      "the model file continues after its last array: expected 214 bytes, received 215 bytes.
      The file is damaged: copy it again from its source."
    `);
  });

  test("with a header that is nested deeper than the stack", () => {
    expect(errorOf(file(`{"a":${"[".repeat(1e5)}${"]".repeat(1e5)}}`))).toMatch("has an incomplete entry");
  });

  test("or decodes it, for arbitrary bytes", () => {
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
