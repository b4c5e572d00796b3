import { crc32 } from "node:zlib";
import { expect, test } from "vitest";
import { PushforwardError } from "../../src/check/errors.ts";
import { nsf } from "../../src/flows/index.ts";
import { decodeWithChecksum, encodeWithChecksum } from "../../src/parts/checksum.ts";
import { decodeSafetensors } from "../../src/parts/safetensors.ts";
import { forTables } from "../../src/tables/fit/index.ts";
import { decodeModel, encodeModel } from "../../src/tables/model/index.ts";
import { decodeCheckpoint, encodeCheckpoint } from "../../src/train/checkpoint.ts";

const arrays = { w: { shape: [3], values: Float32Array.of(1, 2, 3) } };
const flow = forTables(nsf(1, { transforms: 1, hidden: [2], bins: 2 }));
const model = encodeModel({ flow, columns: ["a"], given: [] });

const BUFFER = Float32Array.of(1, 2);
const checkpoint = encodeCheckpoint({
  fingerprint: "0",
  state: {
    epoch: 1,
    steps: 1,
    learningRate: { plateaus: 0, recoveries: 0, restarts: 0 },
    stopping: { bestEpoch: 1, best: 0, sincePlateau: 0 },
  },
  epochs: [],
  parameters: new Map(),
  buffers: { average: BUFFER, best: BUFFER, bestRunning: BUFFER, first: BUFFER, second: BUFFER },
});

/** The code of the error that decoding the bytes throws. */
async function errorOf(read: (bytes: Uint8Array) => unknown, bytes: Uint8Array): Promise<string> {
  try {
    await read(bytes);
  } catch (error) {
    return error instanceof PushforwardError ? error.code : String(error);
  }
  return "no error";
}

test.each([
  ["a model", model, decodeModel],
  ["a checkpoint", checkpoint, (bytes: Uint8Array) => decodeCheckpoint(bytes, "0", new Map())],
] as const)("decoding %s throws if any single bit is flipped", async (_, whole, read) => {
  expect(await errorOf(read, whole)).toBe("no error");
  const bytes = whole.slice();
  for (let bit = 0; bit < 8 * bytes.length; bit++) {
    bytes[bit >> 3] ^= 1 << (bit & 7);
    const code = await errorOf(read, bytes);
    if (code !== "MODEL") expect.fail(`bit ${bit}: ${code}`);
    bytes[bit >> 3] ^= 1 << (bit & 7);
  }
});

test("the checksum is zlib's CRC-32 of the file with zeros in its place, at the same offset in every file", () => {
  // All lengths modulo 8: the CRC processes eight bytes at a time, and then the remaining bytes.
  for (let length = 0; length < 40; length++) {
    const values = Uint8Array.from({ length }, (_, i) => (i * 37 + 200) % 256);
    const bytes = encodeWithChecksum({ w: { shape: [length], values } }, { text: "ä" });
    expect(new TextDecoder().decode(bytes.subarray(8, 37))).toBe('{"__metadata__":{"checksum":"');
    const digits = new TextDecoder().decode(bytes.subarray(37, 45));
    expect(
      crc32(bytes.fill(0x30, 37, 45))
        .toString(16)
        .padStart(8, "0"),
    ).toBe(digits);
  }
});

test("a file with a checksum is a valid safetensors file, and equal content has equal bytes", () => {
  const bytes = encodeWithChecksum(arrays, { text: "1" });
  expect(encodeWithChecksum(arrays, { text: "1" })).toEqual(bytes);
  const read = decodeSafetensors(bytes);
  expect(read.arrays).toEqual(new Map(Object.entries(arrays)));
  expect(read.metadata).toEqual({ checksum: expect.stringMatching(/^[0-9a-f]{8}$/), text: "1" });
  expect(decodeWithChecksum(bytes)).toEqual({ ...read, metadata: { text: "1" }, hasChecksum: true });
  expect(() => encodeWithChecksum(arrays, { a: "1" })).toThrowErrorMatchingInlineSnapshot(
    `[PushforwardError: the metadata has a key that comes before "checksum".]`,
  );
});

test("errors say what is wrong", async () => {
  const changed = model.slice();
  changed[changed.length - 1] ^= 1;
  await expect(decodeModel(changed)).rejects.toThrow(
    /^the file was changed since it was written: expected the checksum "[0-9a-f]{8}", received "[0-9a-f]{8}"\.\nThe file is damaged: copy it again from its source\.$/,
  );
  const renamed = model.slice();
  renamed[8 + '{"__metadata__":{"'.length] = "C".charCodeAt(0);
  await expect(decodeModel(renamed)).rejects.toThrowErrorMatchingInlineSnapshot(`
    [PushforwardError: the file was changed since it was written: expected a checksum, received none.
    The file is damaged: copy it again from its source.]
  `);
});
