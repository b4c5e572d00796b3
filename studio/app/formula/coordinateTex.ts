import { rationalQuadratic } from "./spline.ts";
import type { ConditionedMap, SplineBin } from "./terms.ts";
import { type Line, minus, nats, plus, texNumber } from "./texNumbers.ts";

/** The formula of one coordinate. */
export interface CoordinateText {
  readonly lines: readonly Line[];
  /** log dz/dx as a term of a sum, and its value; absent if it is 0 for every point. */
  readonly logSlope?: { readonly tex: string; readonly value: number };
}

interface Coordinate {
  /** 0 or 1. */
  readonly index: number;
  /** The letter of shifts. */
  readonly letter: string;
  readonly x: number;
  readonly z: number;
}

/** The map of a coordinate from x to z in TeX. */
export function coordinateTex(map: ConditionedMap, { index, letter, x, z }: Coordinate): CoordinateText {
  const i = index + 1;
  /** A letter for a number that is computed from the other coordinate. */
  const computed = (name: string) => `${name}_${i}${map.dependsOn ? `(${map.dependsOn}_${3 - i})` : ""}`;
  const line = (letters: string, numbers: string): Line[] => [
    [`z_${i}`, letters],
    ["", `${numbers} = ${texNumber(z)}`],
  ];
  const logScale = (s: number) => ({ logSlope: { tex: `-${computed("s")}`, value: -s } });
  switch (map.type) {
    case "identity":
      return { lines: [[`z_${i}`, `x_${i} = ${texNumber(z)}`]] };
    case "shift":
      return { lines: line(`x_${i} - ${computed(letter)}`, minus(texNumber(x), map.shift)) };
    case "affine":
      return {
        lines: line(
          String.raw`(x_${i} - ${computed(letter)})\,e^{-${computed("s")}}`,
          String.raw`(${minus(texNumber(x), map.shift)})\,e^{${nats(-map.s)}}`,
        ),
        ...logScale(map.s),
      };
    case "scale":
      return {
        lines: line(String.raw`x_${i}\,e^{-s_${i}}`, String.raw`${texNumber(x)}\,e^{${nats(-map.s)}}`),
        ...logScale(map.s),
      };
    case "standardize":
      return {
        lines: line(
          String.raw`(x_${i} - \mu_${i}) / \sigma_${i}`,
          `(${minus(texNumber(x), map.center)}) / ${texNumber(map.scale)}`,
        ),
        logSlope: { tex: String.raw`-\log \sigma_${i}`, value: -Math.log(map.scale) },
      };
    case "spline":
      return splineTex(map.bin, { index, letter, x, z });
  }
}

/** A rational-quadratic spline, in the notation of Durkan et al. 2019 with w = x_k+1 - x_k, h = y_k+1 - y_k and c for the denominator. */
function splineTex(bin: SplineBin, { index, x, z }: Coordinate): CoordinateText {
  const i = index + 1;
  const { x: xs, z: ys, derivatives } = bin;
  const [d0, d1] = derivatives;
  const [w, h] = [xs[1] - xs[0], ys[1] - ys[0]];
  const { xi, s, c, position, slope } = rationalQuadratic(bin, x);
  return {
    lines: [
      [`z_${i}`, String.raw`y_k + \tfrac{h}{c}\left(s\,\xi^2 + d_k\,\xi(1-\xi)\right)`],
      ["", `${plus(texNumber(ys[0]), h, position)} = ${texNumber(z)}`],
      [String.raw`\xi`, `(x_${i} - x_k) / w`],
      ["", `(${minus(texNumber(x), xs[0])}) / ${texNumber(w)} = ${texNumber(xi)}`],
      ["s", `h / w = ${texNumber(h)} / ${texNumber(w)} = ${texNumber(s)}`],
      ["d_k", String.raw`${texNumber(d0)}, \quad d_{k+1} = ${texNumber(d1)}`],
      ["c", String.raw`s + (d_k + d_{k+1} - 2s)\,\xi(1-\xi) = ${texNumber(c)}`],
      [`z_${i}'`, String.raw`\tfrac{s^2}{c^2}\left(d_{k+1}\xi^2 + 2s\,\xi(1-\xi) + d_k(1-\xi)^2\right)`],
      ["", texNumber(slope)],
    ],
    logSlope: { tex: `+\\log z_${i}'`, value: Math.log(slope) },
  };
}
