import { orList } from "../data/labels.ts";
import type { ContextEmbedding } from "../distributions/index.ts";
import { count, counted, nats } from "../evaluate/numberText.ts";
import { flowSummary, type LoadedModel, modelLabels, parameterCount } from "../flows/index.ts";
import { singleLine } from "./format.ts";

/** Everything in a model file except the numbers of its parameters. */
export function describeModel({ flow, columns, given, labels, training }: LoadedModel) {
  return {
    columns,
    given,
    ...(labels && { labels }),
    parameters: parameterCount(flow),
    ...(training && { training }),
    flow: flow.describe(),
  };
}

/** A model file in a few lines. */
export function modelSummary(model: LoadedModel, path: string): string {
  const { flow, columns, given, training } = model;
  const labels = modelLabels(model);
  const context = given.map((name, d) => {
    const classes = labels.get(name);
    const seen = training?.given?.[d];
    const range = seen && "minimum" in seen ? ` (${seen.minimum} to ${seen.maximum})` : "";
    return classes ? `${name} (${orList(classes)})` : `${name}${range}`;
  });
  const lines: [term: string, text: string][] = [
    ["model", path],
    ["columns", columns.join(", ")],
  ];
  if (given.length > 0) lines.push(["given", context.join(", ")]);
  if (flow.embedding) lines.push(["embedding", embeddingSummary(flow.embedding)]);
  lines.push(["flow", flowSummary(flow.describe())], ["parameters", count(parameterCount(flow))]);
  if (training) {
    const { rows, seed, epochs, bestEpoch, validationLogDensity } = training;
    lines.push(
      ["trained on", `${counted(rows, "row")}, seed ${seed}`],
      ["epochs", `${epochs}, the best is epoch ${bestEpoch}`],
      ["validation", `${nats(validationLogDensity)} nats, the mean log-density of the validation rows`],
    );
  }
  return lines
    .map(([term, text]) => `${term.padEnd(12)}${singleLine(text, Number.POSITIVE_INFINITY)}\n`)
    .join("");
}

/** "2 numbers, labels of 3 and 5 classes -> 4". */
function embeddingSummary(embedding: ContextEmbedding): string {
  const { numbers = 0, classes = [] } = embedding.describe();
  const inputs = [
    ...(numbers > 0 ? [counted(numbers, "number")] : []),
    ...(classes.length > 0 ? [`labels of ${classes.join(" and ")} classes`] : []),
  ];
  return `${inputs.join(", ")} -> ${embedding.size}`;
}
