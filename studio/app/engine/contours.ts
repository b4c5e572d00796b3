import { cellX, cellY } from "./frame.ts";
import type { Frame } from "./messages.ts";

/**
 * For each mass, the density on the boundary of the smallest region that contains it (highest density region), on a raster whose
 * cells have the given area. Masses are shares of the mass on the raster, in increasing order.
 */
export function massLevels(density: Float32Array, area: number, masses: readonly number[]): number[] {
  const sorted = Float32Array.from(density).sort().reverse();
  const total = sorted.reduce((sum, value) => sum + value, 0) * area;
  const levels: number[] = [];
  let mass = 0;
  for (const value of sorted) {
    mass += value * area;
    while (levels.length < masses.length && mass >= masses[levels.length]! * total) levels.push(value);
  }
  return levels;
}

/**
 * The contour of a raster of values at a level, as line segments x1, y1, x2, y2, by marching squares: in the square between the
 * centers of four adjacent cells, the contour crosses the edges whose ends lie on different sides of the level.
 */
export function contourSegments(
  values: Float32Array,
  size: number,
  frame: Frame,
  level: number,
): Float32Array {
  const segments: number[] = [];
  const corners = [
    [0, 0],
    [0, 1],
    [1, 1],
    [1, 0],
  ] as const;
  for (let row = 0; row < size - 1; row++)
    for (let column = 0; column < size - 1; column++) {
      const at = corners.map(([down, right]) => values[(row + down) * size + column + right]! - level);
      const crossings: [number, number][] = [];
      for (let k = 0; k < 4; k++) {
        const [a, b] = [at[k]!, at[(k + 1) % 4]!];
        if (a >= 0 === b >= 0) continue;
        const t = a / (a - b);
        const [[down, right], [nextDown, nextRight]] = [corners[k]!, corners[(k + 1) % 4]!];
        crossings.push([
          cellX(frame, size, column + right + t * (nextRight - right)),
          cellY(frame, size, row + down + t * (nextDown - down)),
        ]);
      }
      // At a saddle there are four crossings. Consecutive ones are joined, around opposite corners.
      for (let k = 0; k + 1 < crossings.length; k += 2) segments.push(...crossings[k]!, ...crossings[k + 1]!);
    }
  return Float32Array.from(segments);
}
