import { inflateSync } from "node:zlib";
import { Resvg } from "@resvg/resvg-js";
import { beforeAll, describe, expect, it } from "vitest";
import { pairFigure, svgToPng } from "../../src/report/index.ts";
import { gaussians, table } from "./figures.ts";

describe("svgToPng", () => {
  let svg: string;
  beforeAll(async () => {
    const random = gaussians(5);
    const draw = () => table(200, () => [random(), random()]);
    svg = await pairFigure({ columns: ["a", "b"], data: draw(), samples: draw(), title: "The title" });
  });

  it("returns a PNG of the requested size", async () => {
    const [, width, height] = svg.match(/width="(\d+)" height="(\d+)"/)!.map(Number);
    const size = async (options?: { width: number } | { scale: number }) =>
      sizeOf(Buffer.from(await svgToPng(svg, options)));
    expect(await size()).toEqual([2 * width!, 2 * height!]);
    expect(await size({ width: 500 })).toEqual([500, Math.round((500 * height!) / width!)]);
    expect(await size({ scale: 1 })).toEqual([width, height]);
  });

  it("draws text without fonts of the system", async () => {
    const bare = readPng(new Resvg(svg, { font: { loadSystemFonts: false } }).render().asPng());
    const drawn = readPng(await svgToPng(svg, { scale: 1 }));
    // Where the title, the caption, and the name beside the first panel stand.
    for (const region of [
      [24, 22, 110, 42],
      [24, 50, 300, 66],
      [36, 120, 48, 420],
    ] as const) {
      expect(darkPixels(bare, region)).toBe(0);
      expect(darkPixels(drawn, region)).toBeGreaterThan(15);
    }
  });

  it("has a glyph for every character in the texts of figures", async () => {
    const letters = [..."−×⁰¹²³⁴⁵⁶⁷⁸⁹⁻…"];
    const page = (text: string) =>
      `<svg xmlns="http://www.w3.org/2000/svg" width="40" height="40"><rect width="40" height="40" fill="#fff"/><text x="8" y="30" font-size="24" font-family="Arimo">${text}</text></svg>`;
    const missing = await svgToPng(page("\u{10ffff}"));
    for (const letter of letters) {
      const png = await svgToPng(page(letter));
      expect(darkPixels(readPng(png), [0, 0, 80, 80]), letter).toBeGreaterThan(10);
      expect(Buffer.compare(png, missing), letter).not.toBe(0);
    }
  });

  it("returns the same bytes each time", async () => {
    expect(Buffer.compare(await svgToPng(svg), await svgToPng(svg))).toBe(0);
  });
});

interface Image {
  width: number;
  height: number;
  /** Red, green, blue and opacity, row by row. */
  pixels: Uint8Array;
}

/** The width and the height in the header of a PNG. */
const sizeOf = (png: Buffer): [number, number] => [png.readUInt32BE(16), png.readUInt32BE(20)];

/** Decodes a PNG of 8-bit RGBA (portable network graphics specification, sections 9 and 11). */
function readPng(bytes: Uint8Array): Image {
  const png = Buffer.from(bytes);
  expect([...png.subarray(0, 8)]).toEqual([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  const chunks: Buffer[] = [];
  for (let at = 8; at < png.length; at += 12 + png.readUInt32BE(at)) {
    if (png.toString("latin1", at + 4, at + 8) === "IDAT")
      chunks.push(png.subarray(at + 8, at + 8 + png.readUInt32BE(at)));
  }
  const [width, height] = sizeOf(png);
  expect([png[24], png[25]]).toEqual([8, 6]);
  const raw = inflateSync(Buffer.concat(chunks));
  const stride = 4 * width;
  const pixels = new Uint8Array(stride * height);
  for (let row = 0; row < height; row++) {
    const filter = raw[row * (stride + 1)]!;
    for (let i = 0; i < stride; i++) {
      const left = i >= 4 ? pixels[row * stride + i - 4]! : 0;
      const above = row > 0 ? pixels[(row - 1) * stride + i]! : 0;
      const corner = i >= 4 && row > 0 ? pixels[(row - 1) * stride + i - 4]! : 0;
      const guess = [0, left, above, (left + above) >> 1, paeth(left, above, corner)][filter]!;
      pixels[row * stride + i] = raw[row * (stride + 1) + 1 + i]! + guess;
    }
  }
  return { width, height, pixels };
}

function paeth(left: number, above: number, corner: number): number {
  const estimate = left + above - corner;
  const nearest = Math.min(...[left, above, corner].map((value) => Math.abs(estimate - value)));
  return [left, above, corner].find((value) => Math.abs(estimate - value) === nearest)!;
}

function darkPixels(
  { width, pixels }: Image,
  [left, top, right, bottom]: readonly [number, number, number, number],
): number {
  let count = 0;
  for (let y = top; y < bottom; y++) {
    for (let x = left; x < right; x++) if (pixels[4 * (y * width + x)]! < 150) count++;
  }
  return count;
}
