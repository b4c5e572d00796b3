import { linePath } from "../../views/svgPath.ts";

/** The increasing function x = scale z + step tanh(2 z), for scale > 0 and step >= 0. */
export interface Shape {
  readonly scale: number;
  readonly step: number;
}

/** The figure shows z between -MAX_Z and MAX_Z. */
export const MAX_Z = 3.1;

export const mapOf = ({ scale, step }: Shape, z: number): number => scale * z + step * Math.tanh(2 * z);

const slopeOf = ({ scale, step }: Shape, z: number): number => scale + (2 * step) / Math.cosh(2 * z) ** 2;

export const normal = (z: number): number => Math.exp(-0.5 * z * z) / Math.sqrt(2 * Math.PI);

/** The z that is mapped to x, by bisection: the function is increasing and its slope is at least `scale`. */
export function inverseOf(shape: Shape, x: number): number {
  let [low, high] = [(x - shape.step) / shape.scale, (x + shape.step) / shape.scale];
  for (let k = 0; k < 60; k++) {
    const middle = (low + high) / 2;
    if (mapOf(shape, middle) < x) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}

/** The density of x = f(z) where z is standard normal. */
export function densityOf(shape: Shape, x: number): number {
  const z = inverseOf(shape, x);
  return normal(z) / slopeOf(shape, z);
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
