import { listOf } from "../data/labels.ts";
import type { Description } from "../description.ts";
import type { ContextEmbedding } from "../distributions/index.ts";
import type { Flow, Model } from "../flows/index.ts";
import { count, counted, nats, visible } from "./format.ts";
import { labelsOf } from "./model.ts";

/** All that a model file says but its numbers. */
export function describeModel({ flow, columns, given, labels, training }: Model) {
  return {
    columns,
    given,
    ...(labels && { labels }),
    parameters: parameterCount(flow),
    ...(training && { training }),
    flow: flow.describe(),
  };
}

/** The same in a few lines for people. */
export function modelSummary(model: Model, path: string): string {
  const { flow, columns, given, training } = model;
  const labels = labelsOf(model);
  const conditions = given.map((name, d) => {
    const known = labels.get(name);
    const record = training?.given?.[d];
    const range = record && "minimum" in record ? ` (${record.minimum} to ${record.maximum})` : "";
    return known ? `${name} (${listOf(known)})` : `${name}${range}`;
  });
  const lines: [term: string, text: string][] = [
    ["model", path],
    ["columns", columns.join(", ")],
    ...(given.length > 0 ? [["given", conditions.join(", ")] as [string, string]] : []),
    ...(flow.embedding ? [["embedding", embedding(flow.embedding)] as [string, string]] : []),
    ["flow", layers(flow.describe())],
    ["parameters", count(parameterCount(flow))],
  ];
  if (training) {
    const { rows, seed, epochs, bestEpoch, validationLogDensity } = training;
    lines.push(
      ["trained on", `${counted(rows, "row")}, seed ${seed}`],
      ["epochs", `${epochs}, the best of them ${bestEpoch}`],
      [
        "validation",
        `${nats(validationLogDensity)} nats, the mean log-density of the rows that ended training`,
      ],
    );
  }
  return lines
    .map(([term, text]) => `${term.padEnd(12)}${visible(text, Number.POSITIVE_INFINITY)}\n`)
    .join("");
}

function parameterCount(flow: Flow): number {
  let total = 0;
  for (const { numbers } of flow.parameters().values()) total += numbers.length;
  return total;
}

/** "2 numbers, labels of 3 and 5 classes -> 4". */
function embedding(own: ContextEmbedding): string {
  const { numbers = 0, classes = [] } = own.describe();
  const parts = [
    ...(numbers > 0 ? [counted(numbers, "number")] : []),
    ...(classes.length > 0 ? [`labels of ${classes.join(" and ")} classes`] : []),
  ];
  return `${parts.join(", ")} -> ${own.size}`;
}

type FlowDescription = ReturnType<Flow["describe"]>;

/** The base and the bijections on the way from it to the data; repeated ones are counted. */
function layers({ base, bijection }: FlowDescription): string {
  const runs: { name: string; times: number }[] = [];
  for (const name of namesOf(bijection)) {
    if (runs.at(-1)?.name === name) runs.at(-1)!.times++;
    else runs.push({ name, times: 1 });
  }
  const named = runs.map(({ name, times }) => (times > 1 ? `${times} x ${name}` : name));
  return [...namesOf(base), ...named].join(" -> ");
}

/** "autoregressive (rational quadratic spline)", or one for each part of a chain. */
function namesOf(description: Description): string[] {
  const { type, transform, bijection, bijections, distribution, distributions } = description as Description &
    Parts;
  if (type === "identity") return [];
  if (type === "transformedDistribution") return [layers(description as unknown as FlowDescription)];
  if (bijections) return bijections.flatMap(namesOf);
  const name = type.replace(/(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])/g, " ").toLowerCase();
  if (type === "constantFeatures") return [...namesOf(distribution!), name];
  if (type === "standardizeContext") return [...namesOf(bijection!), name];
  const inner = distributions ?? [transform ?? bijection].filter((part) => part !== undefined);
  return [inner.length > 0 ? `${name} (${inner.flatMap(namesOf).join(", ")})` : name];
}

/** What a description may hold. */
interface Parts {
  readonly transform?: Description;
  readonly bijection?: Description;
  readonly bijections?: readonly Description[];
  readonly distribution?: Description;
  readonly distributions?: readonly Description[];
}
