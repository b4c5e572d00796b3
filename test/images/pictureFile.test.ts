import { deflateSync } from "node:zlib";
import { encode as encodePng } from "fast-png";
import { encode as encodeJpeg } from "jpeg-js";
import { describe, expect, test } from "vitest";
import { decodePicture } from "../../src/images/files/pictureFile.ts";
import { temporaryDirectory } from "../data/temporaryFiles.ts";
import { pngChunk } from "./files.ts";

const { failure } = temporaryDirectory();

/** A PNG file that `fast-png` does not write: gray with fewer than 8 bits, or with a transparent color. Lines are packed. */
function rawPng(
  { width, depth, color }: { width: number; depth: number; color: "gray" | "rgb" },
  lines: readonly (readonly number[])[],
  chunks: Readonly<Record<string, readonly number[]>> = {},
): Buffer {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(lines.length, 4);
  header.set([depth, color === "gray" ? 0 : 2], 8);
  return Buffer.concat([
    Buffer.from("\x89PNG\r\n\x1a\n", "latin1"),
    pngChunk("IHDR", header),
    ...Object.entries(chunks).map(([type, data]) => pngChunk(type, Uint8Array.from(data))),
    pngChunk("IDAT", deflateSync(Uint8Array.from(lines.flatMap((line) => [0, ...line])))),
    pngChunk("IEND", new Uint8Array()),
  ]);
}

const pixelsOf = async (bytes: Uint8Array): Promise<number[]> => [
  ...(await decodePicture(bytes, "a.png")).pixels,
];

describe("PNG", () => {
  test.each([
    [1, [[0b10110000, 0b01000000]], 10, [1, 0, 1, 1, 0, 0, 0, 0, 0, 1].map((bit) => 255 * bit)],
    [2, [[0b00011011], [0b11000000]], 4, [0, 85, 170, 255, 255, 0, 0, 0]],
    [4, [[0x01, 0xf0]], 3, [0, 17, 255]],
  ])("gray of %i bits has gray levels from 0 to 255", async (depth, lines, width, levels) => {
    const { shape, pixels } = await decodePicture(rawPng({ width, depth, color: "gray" }, lines), "a.png");
    expect(shape).toEqual([lines.length, width, 1]);
    expect([...pixels]).toEqual(levels);
  });

  test("with a transparent color is an error only if a pixel has this color", async () => {
    const rgb = { width: 3, depth: 8, color: "rgb" } as const;
    const line = [1, 2, 3, 4, 5, 6, 7, 8, 9];
    // No pixel is 1, 5, 6.
    expect(await pixelsOf(rawPng(rgb, [line], { tRNS: [0, 1, 0, 5, 0, 6] }))).toEqual(line);
    expect(await failure(pixelsOf(rawPng(rgb, [line], { tRNS: [0, 4, 0, 5, 0, 6] })))).toMatch(
      /^FILE a.png has transparent pixels/,
    );
    const gray = { width: 2, depth: 4, color: "gray" } as const;
    expect(await pixelsOf(rawPng(gray, [[0x3a]], { tRNS: [0, 4] }))).toEqual([51, 170]);
    expect(await failure(pixelsOf(rawPng(gray, [[0x3a]], { tRNS: [0, 10] })))).toMatch(/transparent pixels/);
  });

  test("of RGB with a suggested palette has its own colors", async () => {
    const rgb = { width: 2, depth: 8, color: "rgb" } as const;
    const line = [1, 2, 3, 4, 5, 6];
    expect(await pixelsOf(rawPng(rgb, [line], { PLTE: [9, 9, 9, 8, 8, 8] }))).toEqual(line);
  });
});

describe("JPEG", () => {
  test.each([
    [1, [8, 16], ["red", "green", "blue", "white"]],
    [2, [8, 16], ["green", "red", "white", "blue"]],
    [3, [8, 16], ["white", "blue", "green", "red"]],
    [4, [8, 16], ["blue", "white", "red", "green"]],
    [5, [16, 8], ["red", "blue", "green", "white"]],
    [6, [16, 8], ["blue", "red", "white", "green"]],
    [7, [16, 8], ["white", "green", "blue", "red"]],
    [8, [16, 8], ["green", "white", "red", "blue"]],
  ])(
    "with the EXIF orientation %i is rotated and mirrored as in viewers",
    async (orientation, [height, width], corners) => {
      const colors = { red: [255, 0, 0], green: [0, 255, 0], blue: [0, 0, 255], white: [255, 255, 255] };
      // Four squares, stored as red and green above blue and white.
      const data = Buffer.alloc(8 * 16 * 4, 255);
      for (let i = 0; i < 8 * 16; i++)
        data.set(Object.values(colors)[(i >= 64 ? 2 : 0) + (i % 16 >= 8 ? 1 : 0)]!, 4 * i);
      const { data: jpeg } = encodeJpeg({ width: 16, height: 8, data }, 95);
      for (const isLittleEndian of [false, true]) {
        // The tag, the type, the count in 4 bytes, and the value.
        const entry = [0x0112, 3, ...(isLittleEndian ? [1, 0] : [0, 1]), orientation, 0];
        const tiff = isLittleEndian
          ? Buffer.from("II*\0\x08\0\0\0\x01\0", "latin1")
          : Buffer.from("MM\0*\0\0\0\x08\0\x01", "latin1");
        const fields = Buffer.alloc(12);
        for (const [i, number] of entry.entries())
          if (isLittleEndian) fields.writeUInt16LE(number, 2 * i);
          else fields.writeUInt16BE(number, 2 * i);
        const content = Buffer.concat([Buffer.from("Exif\0\0", "latin1"), tiff, fields]);
        const length = Buffer.from([0, content.length + 2]);
        const exif = Buffer.concat([Buffer.from([0xff, 0xe1]), length, content]);
        const bytes = Buffer.concat([jpeg.subarray(0, 2), exif, jpeg.subarray(2)]);
        const { shape, pixels } = await decodePicture(bytes, "a.jpg");
        expect(shape).toEqual([height, width, 3]);
        for (const [k, name] of corners.entries()) {
          const row = k < 2 ? 0 : height! - 1;
          const column = k % 2 === 0 ? 0 : width! - 1;
          const color = colors[name as keyof typeof colors];
          for (let c = 0; c < 3; c++)
            expect(Math.abs(pixels[(row * width! + column) * 3 + c]! - color[c]!)).toBeLessThan(40);
        }
      }
    },
  );

  // io.BytesIO of Image.new("RGB", (8, 8), (200, 40, 10)).save(..., "JPEG", quality=95, keep_rgb=True, optimize=True), Pillow 11.1
  const rgb = Buffer.from(
    "/9j/7gAOQWRvYmUAZAAAAAAA/9sAQwACAQEBAQECAQEBAgICAgIEAwICAgIFBAQDBAYFBgYGBQYGBgcJCAYHCQcGBggLCAkKCgoKCgYICwwLCgwJCgoK/8AAEQgACAAIA1IRAEcRAEIRAP/EABQAAQAAAAAAAAAAAAAAAAAAAAn/xAAUEAEAAAAAAAAAAAAAAAAAAAAA/9oADANSAEcAQgAAPwBIBPgnf//Z",
    "base64",
  );

  test.each([
    ["the transform 0 in the marker of Adobe", rgb],
    ["components named R, G and B", Buffer.concat([rgb.subarray(0, 2), rgb.subarray(18)])],
  ])("of RGB, by %s, has its colors", async (_, bytes) => {
    const { shape, pixels } = await decodePicture(bytes, "a.jpg");
    expect(shape).toEqual([8, 8, 3]);
    for (const [i, value] of pixels.entries())
      expect(Math.abs(value - [200, 40, 10][i % 3]!)).toBeLessThan(3);
  });
});

test("hints name the file in a command, but not the row of a table", async () => {
  const sixteen = encodePng({ width: 1, height: 1, channels: 1, depth: 16, data: new Uint16Array(1) });
  expect(await failure(decodePicture(sixteen, "a b.png"))).toMatchInlineSnapshot(`
    "FILE a b.png has 16 bits per channel: expected 8 bits per channel, opaque, received 16 bits.
    Convert it, for example by ImageMagick: magick 'a b.png' -depth 8 picture.png"
  `);
  expect(await failure(decodePicture(sixteen, "Row 1 of a.parquet", false))).toMatchInlineSnapshot(`
    "FILE Row 1 of a.parquet has 16 bits per channel: expected 8 bits per channel, opaque, received 16 bits.
    Convert it, and write the table again."
  `);
});
