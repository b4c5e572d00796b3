import { linePath } from "../../views/svgPath.ts";

/** The increasing function x = scale z + jump tanh(2 z), for scale > 0 and jump >= 0. */
export interface IncreasingMap {
  readonly scale: number;
  readonly jump: number;
}

/** The figure shows z between -MAX_Z and MAX_Z. */
export const MAX_Z = 3.1;

export const mapOf = ({ scale, jump }: IncreasingMap, z: number): number =>
  scale * z + jump * Math.tanh(2 * z);

const derivativeOf = ({ scale, jump }: IncreasingMap, z: number): number =>
  scale + (2 * jump) / Math.cosh(2 * z) ** 2;

export const normal = (z: number): number => Math.exp(-0.5 * z * z) / Math.sqrt(2 * Math.PI);

/** The z that is mapped to x, by bisection: the function is increasing and its slope is at least `scale`. */
export function inverseOf(map: IncreasingMap, x: number): number {
  let [low, high] = [(x - map.jump) / map.scale, (x + map.jump) / map.scale];
  for (let k = 0; k < 60; k++) {
    const middle = (low + high) / 2;
    if (mapOf(map, middle) < x) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}

/** The density of x = f(z) where z is standard normal. */
export function densityOf(map: IncreasingMap, x: number): number {
  const z = inverseOf(map, x);
  return normal(z) / derivativeOf(map, z);
}

/** The boundary of the area below a density as an SVG path. `place` maps a value and its density to the position in the picture. */
export function areaPath(
  density: (value: number) => number,
  low: number,
  high: number,
  place: (value: number, density: number) => readonly [number, number],
): string {
  const n = 120;
  const points = [place(low, 0)];
  for (let k = 0; k <= n; k++) {
    const value = low + ((high - low) * k) / n;
    points.push(place(value, density(value)));
  }
  points.push(place(high, 0));
  return `${linePath(points, 3)}Z`;
}
