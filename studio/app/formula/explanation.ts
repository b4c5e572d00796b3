import type { LayerTerms } from "./terms.ts";

/** What the letters in the formula of a layer stand for. */
export function explanation(terms: LayerTerms): string {
  if (terms.type === "planar")
    return "û is the parameter u, changed such that the layer has an inverse. w and b are parameters too.";
  if (terms.type === "radial")
    return "The center z₀, α and β are parameters. r is the root of a quadratic equation.";
  if (terms.type === "linear") return "W and b are parameters.";
  if (terms.type === "continuous")
    return "The velocity v is a network. It moves the point along y, from y(0) = z to y(1) = x.";
  const { maps, letter } = terms;
  if (maps.every(({ type }) => type === "identity"))
    return "The coordinate lies outside of the interval of the spline, where the layer is the identity.";
  if (maps.some(({ type }) => type === "spline"))
    return "A network computes the knots (xₖ, yₖ) of the spline and its derivatives dₖ there. The coordinate lies between two knots, whose distances in x and y are w and h.";
  if (maps.every(({ dependsOn }) => !dependsOn)) return "The numbers are the same for all points.";
  const letters = maps.some(({ type }) => type === "shift") ? letter : `${letter} and s`;
  return `A network computes ${letters} from the other coordinate.`;
}
