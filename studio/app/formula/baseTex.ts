import type { BaseTerms, Pair } from "./terms.ts";
import { type Line, nats, natsSum, texNumber } from "./texNumbers.ts";

const LOG_DENSITY = String.raw`\log p(z)`;

/** The log-density of the base distribution at z in TeX, first with letters and then with numbers. */
export function baseTex(terms: BaseTerms, z: Pair, logDensity: number): Line[] {
  const result: Line = ["", nats(logDensity)];
  if (terms.type === "normal") return [...normalTex(z), result];
  if (terms.type === "logistic") return [...logisticTex(z), result];
  if (terms.type === "mixture") return [...mixtureTex(terms.densities), result];
  const kernels = terms.coordinates.map(({ mean, s, nu }, i) => {
    const t = (z[i]! - mean) * Math.exp(-s);
    return (-(nu + 1) / 2) * Math.log1p(t ** 2 / nu);
  });
  return [
    [LOG_DENSITY, String.raw`c - \sum_i \tfrac{\nu_i + 1}{2} \log\left(1 + \tfrac{t_i^2}{\nu_i}\right)`],
    ["", natsSum([logDensity - kernels[0]! - kernels[1]!, ...kernels])],
    result,
    ["t_i", String.raw`(z_i - m_i)\,e^{-s_i}`],
    [String.raw`\nu`, `(${terms.coordinates.map(({ nu }) => texNumber(nu)).join(", ")})`],
  ];
}

function normalTex(z: Pair): Line[] {
  const squares = z.map((each) => texNumber(each ** 2)).join(" + ");
  return [
    [LOG_DENSITY, String.raw`-\tfrac12 \left(z_1^2 + z_2^2\right) - \log 2\pi`],
    ["", String.raw`-\tfrac12 (${squares}) - ${nats(Math.log(2 * Math.PI))}`],
  ];
}

function logisticTex(z: Pair): Line[] {
  const sizes = z.map(Math.abs);
  return [
    [LOG_DENSITY, String.raw`-\sum_i \left(|z_i| + 2\log(1 + e^{-|z_i|})\right)`],
    ["", natsSum(sizes.map((size) => -size - 2 * Math.log1p(Math.exp(-size))))],
  ];
}

/** The two largest of the weighted densities, and the sum of the others. */
function mixtureTex(densities: readonly number[]): Line[] {
  const [first = 0, second = 0, ...others] = densities.toSorted((a, b) => b - a);
  const rest = others.reduce((sum, each) => sum + each, 0);
  return [
    [LOG_DENSITY, String.raw`\log \sum_k w_k\, \mathcal{N}(z; m_k, S_k)`],
    ["", String.raw`\log\left(${[first, second, rest].map(texNumber).join(" + ")}\right)`],
  ];
}
