import type { Description } from "../description.ts";
import type { Flow } from "./flow.ts";

type FlowParts = Pick<ReturnType<Flow["describe"]>, "base" | "bijection">;

/**
 * A flow in one line: the base distribution and the bijections on the way from it to the data, for example
 * "standard normal -> 5 x autoregressive (affine) -> standardize".
 */
export function flowSummary({ base, bijection }: FlowParts): string {
  const groups: { name: string; count: number }[] = [];
  for (const name of namesOf(bijection)) {
    if (groups.at(-1)?.name === name) groups.at(-1)!.count++;
    else groups.push({ name, count: 1 });
  }
  const layers = groups.map(({ name, count }) => (count > 1 ? `${count} x ${name}` : name));
  return [...namesOf(base), ...layers].join(" -> ");
}

/** How many numbers the parameters of a flow have in total. */
export function parameterCount(flow: Flow): number {
  let total = 0;
  for (const { numbers } of flow.parameters().values()) total += numbers.length;
  return total;
}

/** What descriptions of bijections and distributions may contain. */
interface Parts {
  readonly transform?: Description;
  readonly bijection?: Description;
  readonly bijections?: readonly Description[];
  readonly distribution?: Description;
  readonly distributions?: readonly Description[];
}

/** The name of a part with the parts inside of it, such as "autoregressive (rational quadratic spline)"; of a chain all names. */
function namesOf(description: Description): string[] {
  const { type, transform, bijection, bijections, distribution, distributions } = description as Description &
    Parts;
  if (type === "identity") return [];
  if (type === "transformedDistribution") return [flowSummary(description as unknown as FlowParts)];
  if (bijections) return bijections.flatMap(namesOf);
  const name = type.replace(/(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])/g, " ").toLowerCase();
  if (type === "constantFeatures" || type === "dequantized") return [...namesOf(distribution!), name];
  if (type === "standardizeContext") return [...namesOf(bijection!), name];
  const inner = distributions ?? [transform ?? bijection].filter((part) => part !== undefined);
  return [inner.length > 0 ? `${name} (${inner.flatMap(namesOf).join(", ")})` : name];
}
