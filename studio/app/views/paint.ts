import type { Frame, Raster } from "../engine/messages.ts";
import { latentGrid } from "../latentGrid.ts";
import { dots } from "./dots.ts";
import type { Theme } from "./theme.ts";

/** A canvas context whose units are CSS pixels, and the part of the plane that it shows. */
export interface Plane {
  readonly context: CanvasRenderingContext2D;
  readonly width: number;
  readonly height: number;
  readonly frame: Frame;
}

const xOf = ({ frame: { x }, width }: Plane, value: number) => ((value - x[0]) / (x[1] - x[0])) * width;
const yOf = ({ frame: { y }, height }: Plane, value: number) => ((y[1] - value) / (y[1] - y[0])) * height;
export const toPixels = (plane: Plane, [x, y]: readonly [number, number]) =>
  [xOf(plane, x), yOf(plane, y)] as const;

export const toPlane = ({ frame: { x, y } }: Pick<Plane, "frame">, across: number, down: number) =>
  [x[0] + across * (x[1] - x[0]), y[1] - down * (y[1] - y[0])] as const;

/** The exponent of the color scale: a square root, because the tails would be invisible on a linear scale. */
const GAMMA = 0.5;
/** This quantile of the densities has the last color, so that the rest is not pale beside one narrow peak. */
const FULL_COLOR_QUANTILE = 0.995;

export function paintDensity(plane: Plane, { size, density, frame }: Raster, { densityColors }: Theme): void {
  const sorted = Float32Array.from(density).sort();
  const full = sorted[Math.floor(FULL_COLOR_QUANTILE * (sorted.length - 1))]! || Number.MIN_VALUE;
  const image = new ImageData(size, size);
  for (let i = 0; i < density.length; i++) {
    const color = 3 * Math.round(255 * Math.min(1, (density[i]! / full) ** GAMMA));
    for (let k = 0; k < 3; k++) image.data[4 * i + k] = densityColors[color + k]!;
    image.data[4 * i + 3] = 255;
  }
  const cells = new OffscreenCanvas(size, size);
  cells.getContext("2d")!.putImageData(image, 0, 0);
  const { context } = plane;
  const [left, top] = toPixels(plane, [frame.x[0], frame.y[1]]);
  const [right, bottom] = toPixels(plane, [frame.x[1], frame.y[0]]);
  context.imageSmoothingQuality = "high";
  context.drawImage(cells, left, top, right - left, bottom - top);
}

/** The opacity of the contour of each of `CONTOUR_MASSES`: larger masses have fainter contours. */
export const CONTOUR_OPACITIES = [0.75, 0.45, 0.28] as const;

function paintContours(plane: Plane, { contours }: Raster, { ink }: Theme): void {
  const { context } = plane;
  context.save();
  context.strokeStyle = ink;
  context.lineCap = "round";
  contours.forEach((segments, k) => {
    context.globalAlpha = CONTOUR_OPACITIES[k]!;
    context.lineWidth = 1;
    context.beginPath();
    for (let i = 0; i < segments.length; i += 4) {
      context.moveTo(xOf(plane, segments[i]!), yOf(plane, segments[i + 1]!));
      context.lineTo(xOf(plane, segments[i + 2]!), yOf(plane, segments[i + 3]!));
    }
    context.stroke();
  });
  context.restore();
}

/** Points x0, y0, x1, y1, ... with the color of each, as `directions` returns them. */
export interface Points {
  readonly values: ArrayLike<number>;
  readonly colors: Uint8Array;
}

export const POINT_RADIUS = 1.5;
export const POINT_OPACITY = 0.75;

/** Paints points as copies of one small image for each color: paths of a thousand circles take many times as long. */
export function paintPoints(
  plane: Plane,
  { values, colors }: Points,
  { directionColors }: Theme,
  radius: number,
): void {
  const { context } = plane;
  const { pictures, size } = dots(directionColors, radius);
  context.save();
  context.globalAlpha = POINT_OPACITY;
  for (let i = 0; i < colors.length; i++) {
    const [x, y] = [xOf(plane, values[2 * i]!), yOf(plane, values[2 * i + 1]!)];
    context.drawImage(pictures[colors[i]!]!, x - size / 2, y - size / 2, size, size);
  }
  context.restore();
}

/** Paints data space: the density, the points, and the contours above them. */
export function paintData(
  plane: Plane,
  { raster, points }: { readonly raster: Raster | undefined; readonly points: Points | undefined },
  theme: Theme,
): void {
  if (raster) paintDensity(plane, raster, theme);
  if (points) paintPoints(plane, points, theme, POINT_RADIUS);
  if (raster) paintContours(plane, raster, theme);
}

/** Circles around 0 with the radii 1, 2 and 3: standard deviations, if the base distribution is standard normal. */
export function paintCircles(plane: Plane, { ink }: Theme): void {
  const { context } = plane;
  const [centerX, centerY] = toPixels(plane, [0, 0]);
  context.save();
  context.globalAlpha = 0.25;
  context.strokeStyle = ink;
  context.lineWidth = 1;
  for (const radius of [1, 2, 3]) {
    context.beginPath();
    context.arc(centerX, centerY, xOf(plane, radius) - centerX, 0, 2 * Math.PI);
    context.stroke();
  }
  context.restore();
}

/** The log volume change at both ends of the color scale, in nats. */
export const MAX_VOLUME_NATS = 3;

/** Paints the cells of the latent grid with their corners at `positions`, colored by their log volume change. */
export function paintGrid(
  plane: Plane,
  positions: Float32Array,
  logVolumes: Float32Array,
  { volumeColors, surface }: Theme,
): void {
  const { context } = plane;
  context.save();
  context.lineWidth = 0.6;
  context.strokeStyle = surface;
  context.lineJoin = "round";
  for (const corners of latentGrid.corners) {
    const mean = corners.reduce((sum, corner) => sum + logVolumes[corner]!, 0) / 4;
    const share = Math.min(1, Math.max(0, 0.5 + mean / (2 * MAX_VOLUME_NATS)));
    const color = 3 * Math.round(255 * share);
    context.fillStyle = `rgb(${volumeColors.subarray(color, color + 3).join(" ")})`;
    context.beginPath();
    for (const corner of corners)
      context.lineTo(xOf(plane, positions[2 * corner]!), yOf(plane, positions[2 * corner + 1]!));
    context.closePath();
    context.fill();
    context.stroke();
  }
  context.restore();
}

/** Marks a point. */
export function paintMarker(
  plane: Plane,
  point: readonly [number, number],
  { accent, surface }: Theme,
): void {
  const { context } = plane;
  const [x, y] = toPixels(plane, point);
  context.beginPath();
  context.arc(x, y, 5, 0, 2 * Math.PI);
  context.fillStyle = accent;
  context.fill();
  context.lineWidth = 2;
  context.strokeStyle = surface;
  context.stroke();
}

/** The path of one point through the layers. */
export function paintPath(plane: Plane, points: readonly (readonly [number, number])[], theme: Theme): void {
  const { context } = plane;
  context.save();
  context.strokeStyle = theme.accent;
  context.lineWidth = 1.75;
  context.lineJoin = "round";
  context.beginPath();
  for (const point of points) context.lineTo(...toPixels(plane, point));
  context.stroke();
  context.fillStyle = theme.accent;
  for (const point of points) {
    context.beginPath();
    context.arc(...toPixels(plane, point), 2.2, 0, 2 * Math.PI);
    context.fill();
  }
  context.restore();
}
