import { Resvg } from "@resvg/resvg-js";
import { decode } from "fast-png";
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
    const bare = decode(new Resvg(svg, { font: { loadSystemFonts: false } }).render().asPng());
    const drawn = decode(await svgToPng(svg, { scale: 1 }));
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
      expect(darkPixels(decode(png), [0, 0, 80, 80]), letter).toBeGreaterThan(10);
      expect(Buffer.compare(png, missing), letter).not.toBe(0);
    }
  });

  it("returns the same bytes each time", async () => {
    expect(Buffer.compare(await svgToPng(svg), await svgToPng(svg))).toBe(0);
  });
});

/** The width and the height in the header of a PNG. */
const sizeOf = (png: Buffer): [number, number] => [png.readUInt32BE(16), png.readUInt32BE(20)];

/** The number of dark pixels in a region of a picture of red, green, blue and opacity. */
function darkPixels(
  { width, data }: ReturnType<typeof decode>,
  [left, top, right, bottom]: readonly [number, number, number, number],
): number {
  let count = 0;
  for (let y = top; y < bottom; y++) {
    for (let x = left; x < right; x++) if (data[4 * (y * width + x)]! < 150) count++;
  }
  return count;
}
