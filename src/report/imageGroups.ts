import { encodePng, grayLevels, imageGrid } from "../images/files/index.ts";
import type { ImageShape } from "../nn/index.ts";
import { escapeXml } from "./sheet.ts";
import { style, wrap } from "./style.ts";

/** Lines of images with one label. */
export interface ImageGroup {
  readonly label: string;
  /** `[lines * columns, D]`, from 0 to values - 1. */
  readonly pixels: Float64Array;
}

/** The width of the labels to the left, in pixels. */
const LABEL_WIDTH = 170;
/** The width of a line of images, in pixels. It is approximate, since each pixel of an image is a square of an integer of pixels. */
const LINE_WIDTH = 460;
/** The distance between two images, in pixels. */
const GAP = 3;

/** What the images of all groups have in common. */
interface ImageGroupOptions {
  readonly shape: ImageShape;
  /** The number of values of a pixel. */
  readonly values: number;
  /** The number of images in a line. */
  readonly columns: number;
}

/** Draws groups of images below each other, with their labels to the left, as an SVG document. */
export async function imageGroups(
  groups: readonly ImageGroup[],
  { shape, values, columns }: ImageGroupOptions,
): Promise<string> {
  const scale = Math.max(1, Math.round((LINE_WIDTH / columns - GAP) / shape[1]));
  const parts: string[] = [];
  let top = GAP;
  let width = 0;
  for (const { label, pixels } of groups) {
    const grid = imageGrid(grayLevels(pixels, values), shape, { columns, gap: GAP, scale });
    const [height, gridWidth] = grid.shape;
    const png = Buffer.from(await encodePng(grid)).toString("base64");
    const lines = wrap(label, style.textSize, LABEL_WIDTH - 20);
    const first = top + height / 2 + 4 - 7 * (lines.length - 1);
    for (const [i, text] of lines.entries()) {
      parts.push(
        `<text x="${LABEL_WIDTH - 10}" y="${first + 14 * i}" text-anchor="end" fill="${style.muted}">${escapeXml(text)}</text>`,
      );
    }
    parts.push(
      `<image x="${LABEL_WIDTH}" y="${top}" width="${gridWidth}" height="${height}" href="data:image/png;base64,${png}"/>`,
    );
    top += height + 2 * GAP;
    width = Math.max(width, LABEL_WIDTH + gridWidth + GAP);
  }
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${top}" viewBox="0 0 ${width} ${top}"`,
    ` role="img" font-family="${style.fontFamily}" font-size="${style.textSize}">`,
    `<title>Images and samples of a model</title>`,
    `<rect width="${width}" height="${top}" fill="#e8e8e8"/>`,
    ...parts,
    "</svg>",
  ].join("");
}
