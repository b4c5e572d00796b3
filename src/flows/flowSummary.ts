import type { Description } from "../parts/index.ts";
import type { Flow } from "./flow.ts";

type FlowParts = Pick<ReturnType<Flow["describe"]>, "base" | "bijection">;

/**
 * The description `flow.describe()` of a flow in one line: the base distribution and the bijections on the way from it to the data, for
 * example "standard normal -> 5 x autoregressive (affine) -> standardize".
 */
export function flowSummary({ base, bijection }: FlowParts): string {
  return [...namesOf(base), ...withoutRepetitions(namesOf(bijection), " -> ")].join(" -> ");
}

/** The longest sequence of names whose repetitions are counted. */
const MAX_PERIOD = 6;

/**
 * Writes repeated sequences of names once, with their count: a, b, c, b, c, d as a, 2 x (b, c), d. Where repetitions overlap, the
 * one that covers most names is written in this way.
 */
function withoutRepetitions(names: readonly string[], separator: string): string[] {
  let best = { start: 0, period: 1, count: 1 };
  for (let period = 1; period <= MAX_PERIOD; period++) {
    for (let start = 0; start + 2 * period <= names.length; start++) {
      let end = start + period;
      while (end < names.length && names[end] === names[end - period]) end++;
      const count = Math.floor((end - start) / period);
      // If two repetitions cover equally many names, the one with the shorter sequence, which is found first, is clearer.
      if (count > 1 && count * period > best.count * best.period) best = { start, period, count };
      // A repetition with this period that begins later within this one covers fewer names.
      if (count > 1) start = end - period - 1;
    }
  }
  const { start, period, count } = best;
  if (count === 1) return [...names];
  const end = start + period * count;
  const sequence = names.slice(start, start + period).join(separator);
  return [
    ...withoutRepetitions(names.slice(0, start), separator),
    `${count} x ${period === 1 ? sequence : `(${sequence})`}`,
    ...withoutRepetitions(names.slice(end), separator),
  ];
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

/**
 * The name of a part with the names of its parts, such as "autoregressive (rational quadratic spline)"; for a chain, the names of
 * its bijections.
 */
function namesOf(description: Description): string[] {
  const { type, transform, bijection, bijections, distribution, distributions } = description as Description &
    Parts;
  if (type === "identity") return [];
  if (type === "transformedDistribution") return [flowSummary(description as unknown as FlowParts)];
  if (bijections) return bijections.flatMap(namesOf);
  const name = type.replace(/(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])/g, " ").toLowerCase();
  if (type === "constantFeatures" || type === "dequantized") return [...namesOf(distribution!), name];
  if (type === "standardizeContext") return [...namesOf(bijection!), name];
  const inner =
    distributions ?? [transform ?? bijection ?? distribution].filter((part) => part !== undefined);
  const names = withoutRepetitions(inner.flatMap(namesOf), ", ");
  return [names.length > 0 ? `${name} (${names.join(", ")})` : name];
}
