import { count, counted, nats, percent } from "../check/index.ts";
import type { ContextEmbedding } from "../distributions/index.ts";
import { type Flow, flowSummary, parameterCount } from "../flows/index.ts";
import { ImageModel } from "../images/model/index.ts";
import { modelLabels } from "../model/index.ts";
import { describeColumn, featuresOf, learnedColumns } from "../tables/columns/index.ts";
import { isFittedWithoutGradients, isKernelDensity } from "../tables/fit/index.ts";
import { orList } from "../tables/io/index.ts";
import type { LoadedModel } from "../tables/model/index.ts";
import { singleLine } from "./format.ts";
import { bitsText } from "./imageReport.ts";

/** Everything in a model file except the numbers of its parameters. */
export function describeModel({ flow, columns, table, image, given, labels, training }: LoadedModel) {
  return {
    columns,
    ...(table && { table }),
    ...(image && { image }),
    given,
    ...(labels && { labels }),
    parameters: parameterCount(flow),
    ...(training && { training }),
    flow: flow.describe(),
  };
}

/** A model file in a few lines. */
export function modelSummary(model: LoadedModel, path: string): string {
  const { flow, table, given, training, anomalies } = model;
  const labels = modelLabels(model);
  const context = given.map((name, d) => {
    const classes = labels.get(name);
    const seen = training?.given?.[d];
    const range = seen && "minimum" in seen ? ` (${seen.minimum} to ${seen.maximum})` : "";
    return classes ? `${name} (${orList(classes)})` : `${name}${range}`;
  });
  const lines: [term: string, text: string][] = [
    ["model", path],
    model.image
      ? ["images", imageSummary(ImageModel.from(model))]
      : ["columns", learnedColumns(model).join(", ")],
  ];
  if (table) {
    const kinds = table.map((column) => {
      const { kind, details } = describeColumn(column);
      return `${column.name}: ${kind}${details === "" ? "" : ` (${details})`}`;
    });
    lines.push(["kinds", kinds.join("; ")]);
    const atoms = featuresOf(table).flatMap((features, c) => {
      const isAtom = table[c]!.kind === "continuous" && (flow.atoms?.[features[0]!] ?? []).length > 0;
      return isAtom ? [table[c]!.name] : [];
    });
    const probabilities = [
      ...(table.some(({ kind }) => kind !== "continuous" && kind !== "constant") ? ["all others"] : []),
      ...(atoms.length > 0 ? [`frequent values of ${atoms.join(", ")}`] : []),
      ...(table.some(({ gaps }) => gaps) ? ["missing values"] : []),
    ];
    const isDiscrete = !table.some(({ kind }) => kind === "continuous");
    const measure = isDiscrete
      ? "a probability"
      : probabilities.length > 0
        ? `a density for continuous columns, times a probability for ${probabilities.join(" and for ")}`
        : "a density";
    lines.push(["log-density", flow.isBound ? `a lower bound of ${measure} (dequantization)` : measure]);
  }
  if (given.length > 0) lines.push(["given", context.join(", ")]);
  if (flow.embedding) lines.push(["embedding", embeddingSummary(flow.embedding)]);
  lines.push(
    ["flow", flowSummary(describedFlow(model).describe())],
    ["parameters", count(parameterCount(flow))],
  );
  if (training) {
    const {
      rows,
      seed,
      epochs,
      bestEpoch,
      validationLogDensity,
      members = [],
      learnedValidationRows,
    } = training;
    // The epochs of a model without such members are those of a member that is not part of it.
    const hasEpochs = members.length === 0 || members.some(({ name }) => !isFittedWithoutGradients(name));
    const whose = members.length > 1 ? ", of the best member trained by gradient descent" : "";
    lines.push(
      ["trained on", `${counted(rows, model.image ? "image" : "row")}, seed ${seed}`],
      ...(hasEpochs
        ? [["epochs", `${epochs}, the best is epoch ${bestEpoch}${whose}`] as [string, string]]
        : []),
      [
        "validation",
        model.image
          ? `${bitsText(validationLogDensity, flow.features)} bits per dimension`
          : `${nats(validationLogDensity)} nats, the mean log-density of the validation rows${learnedValidationRows ? ", before it learned these rows too" : ""}`,
      ],
    );
    if (members.length > 1) {
      const weights = members.map(({ name, weight }) => `${name} ${percent(weight)}`);
      lines.push(["members", weights.join(", ")]);
    }
    const kernels = members.map(({ name }) => name).filter(isKernelDensity);
    if (kernels.length > 0) {
      const contain = kernels.length > 1 ? "contain" : "contains";
      lines.push(["note", `${kernels.join(" and ")} ${contain} training rows, and samples lie near them`]);
    }
  }
  if (anomalies && anomalies.rows.length > 0) {
    const rows = counted(anomalies.rows.length / flow.features, "training row");
    lines.push(["anomalies", `compared with ${rows}, which the model contains`]);
  }
  return lines
    .map(([term, text]) => `${term.padEnd(12)}${singleLine(text, Number.POSITIVE_INFINITY)}\n`)
    .join("");
}

/** The flow of a model, without the dequantization of images. */
function describedFlow(model: LoadedModel): Flow {
  return (model.image && ImageModel.from(model).density) ?? model.flow;
}

/** "28 x 28 x 1 (height, width, channels), values from 0 to 255". */
const imageSummary = ({ shape, values }: ImageModel): string =>
  `${shape.join(" x ")} (height, width, channels), values from 0 to ${values - 1}`;

/** "2 numbers, labels of 3 and 5 classes -> 4". */
function embeddingSummary(embedding: ContextEmbedding): string {
  const { numbers = 0, classes = [] } = embedding.describe();
  const inputs = [
    ...(numbers > 0 ? [counted(numbers, "number")] : []),
    ...(classes.length > 0 ? [`labels of ${classes.join(" and ")} classes`] : []),
  ];
  return `${inputs.join(", ")} -> ${embedding.size}`;
}
