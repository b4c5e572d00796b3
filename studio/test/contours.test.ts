import { expect, test } from "vitest";
import { contourSegments, massLevels } from "../app/engine/contours.ts";

const size = 200;
const frame = { x: [-5, 5], y: [-5, 5] } as const;
const center = (k: number) => -5 + (10 * (k + 0.5)) / size;
/** A normal distribution on the raster, whose rows are counted from the top. */
const mean = { x: 1, y: -0.5 };
const density = Float32Array.from({ length: size * size }, (_, i) => {
  const [dx, dy] = [center(i % size) - mean.x, -center(Math.floor(i / size)) - mean.y];
  return Math.exp(-0.5 * (dx ** 2 + dy ** 2)) / (2 * Math.PI);
});

test("the contour of a mass of a normal distribution is the circle that contains it", () => {
  const masses = [0.5, 0.8, 0.95];
  const levels = massLevels(density, (10 / size) ** 2, masses);
  masses.forEach((mass, k) => {
    const radius = Math.sqrt(-2 * Math.log(1 - mass));
    const segments = contourSegments(density, size, frame, levels[k]!);
    let length = 0;
    for (let i = 0; i < segments.length; i += 4) {
      const [x1, y1, x2, y2] = segments.subarray(i, i + 4);
      expect(Math.hypot(x1! - mean.x, y1! - mean.y)).toBeCloseTo(radius, 2);
      length += Math.hypot(x2! - x1!, y2! - y1!);
    }
    expect(length / (2 * Math.PI * radius)).toBeCloseTo(1, 1);
  });
});
