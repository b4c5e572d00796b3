/** The line through points as the path of an SVG element; empty if there are no points. */
export const linePath = (points: readonly (readonly [number, number])[], decimals: number): string =>
  points.map(([x, y], i) => `${i === 0 ? "M" : "L"}${x.toFixed(decimals)} ${y.toFixed(decimals)}`).join("");
