import type { Raster } from "../engine/messages.ts";
import {
  CONTOUR_OPACITIES,
  type Plane,
  POINT_OPACITY,
  POINT_RADIUS,
  type Points,
  toPixels,
} from "./paint.ts";
import type { Theme } from "./theme.ts";

/** Pixels on a side of exported pictures. */
const PICTURE_SIZE = 1200;

/** A new canvas of the size of exported pictures, painted like a figure. */
export function pictureCanvas(
  paint: (plane: Plane) => void,
  frame: Raster["frame"],
  background: string,
): HTMLCanvasElement {
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = PICTURE_SIZE;
  const context = canvas.getContext("2d")!;
  context.fillStyle = background;
  context.fillRect(0, 0, PICTURE_SIZE, PICTURE_SIZE);
  context.scale(2, 2);
  paint({ context, width: PICTURE_SIZE / 2, height: PICTURE_SIZE / 2, frame });
  return canvas;
}

/** The picture of data space as SVG: points and contours are vectors, and the density is an image, given as its address. */
export function pictureSvg(
  density: string,
  { contours, frame }: Raster,
  { values, colors }: Points,
  theme: Theme,
): string {
  const size = PICTURE_SIZE / 2;
  const plane = { width: size, height: size, frame } as Plane;
  const at = (x: number, y: number) => toPixels(plane, [x, y]).map((value) => value.toFixed(1));
  const paths = contours.map((segments, k) => {
    let path = "";
    for (let i = 0; i < segments.length; i += 4)
      path += `M${at(segments[i]!, segments[i + 1]!).join(" ")}L${at(segments[i + 2]!, segments[i + 3]!).join(" ")}`;
    return `<path d="${path}" fill="none" stroke="${theme.ink}" stroke-opacity="${CONTOUR_OPACITIES[k]}"/>`;
  });
  const circles = Array.from(colors, (color, i) => {
    const [x, y] = at(values[2 * i]!, values[2 * i + 1]!);
    return `<circle cx="${x}" cy="${y}" r="${POINT_RADIUS}" fill="${theme.directionColors[color]}" fill-opacity="${POINT_OPACITY}"/>`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${size} ${size}" width="${size}" height="${size}">
<title>Points and the density of a normalizing flow, with contours around 50, 80 and 95 % of its mass</title>
<image href="${density}" width="${size}" height="${size}"/>
${circles.join("\n")}
${paths.join("\n")}
</svg>
`;
}
