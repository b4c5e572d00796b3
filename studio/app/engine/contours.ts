import type { Frame } from "./messages.ts";

/**
 * The densities of the boundaries of the smallest regions that contain the given masses (highest density regions), on a raster
 * of cells of one area. Mass outside of the raster does not count.
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
 * Line segments x1, y1, x2, y2 along which a raster of values has a level, by marching squares: between the centers of four cells
 * that meet, the line crosses the edges whose ends lie on different sides of the level.
 */
export function contourSegments(
  values: Float32Array,
  size: number,
  { x, y }: Frame,
  level: number,
): Float32Array {
  const segments: number[] = [];
  const xOf = (column: number) => x[0] + ((x[1] - x[0]) * (column + 0.5)) / size;
  const yOf = (row: number) => y[1] - ((y[1] - y[0]) * (row + 0.5)) / size;
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
          xOf(column + right + t * (nextRight - right)),
          yOf(row + down + t * (nextDown - down)),
        ]);
      }
      // Four crossings are a saddle: the order of the edges joins them in pairs around opposite corners.
      for (let k = 0; k + 1 < crossings.length; k += 2) segments.push(...crossings[k]!, ...crossings[k + 1]!);
    }
  return Float32Array.from(segments);
}
