import { checkOptions, invalidOption, isPlainObject, oneOf, PushforwardError } from "../check/index.ts";
import { input, type Parameter, type Tensor } from "../graph/index.ts";
import type { ImageShape } from "../nn/index.ts";
import type { Precision } from "../onnx/index.ts";
import type { Float64Column } from "./float64Column.ts";
import type { Flow } from "./flow.ts";
import {
  DESCRIPTION_KEY,
  type Declaration,
  type ExportedModel,
  type ExportedValue,
  ModelExport,
  noiseInputs,
} from "./modelExport.ts";

/** The functions of a flow that can be exported. */
const EXPORTS = ["density", "sampler", "latent", "data"] as const;

/** Options of `Flow.exportOnnx`. */
export interface ExportFlowOptions {
  /**
   * - `density`: rows `x` -> `logProb` in nats, and the latent variables `z`
   * - `sampler`: noise -> samples `x`
   * - `latent`: x -> z
   * - `data`: z -> x
   *
   * A conditional flow has the input `context` too. Default `density`.
   */
  what?: (typeof EXPORTS)[number] | undefined;
  /** Default `float32`. */
  precision?: Precision | undefined;
  /**
   * The noise of a sampler. `input`: inputs `noise0`, `noise1`..., which make the samples reproducible. `generated`: the runtime draws it,
   * and the input `rows` is the number of samples; with a context, there is one sample for each of its rows. Default `input`.
   */
  noise?: "input" | "generated" | undefined;
  /** More metadata of the file, such as `model_license` and `model_author`, without the key `pushforward`. Default none. */
  metadata?: Readonly<Record<string, string>> | undefined;
}

/** What a model file says about the rows of a flow. */
export interface DescribedRows {
  /** The names of the classes of the last columns of the context. */
  readonly labels?: ExportedValue["labels"] | undefined;
  /** [height, width, channels], if the rows are images. */
  readonly image?: ImageShape | undefined;
  /** By default those of the flow. */
  readonly maps?: TensorMaps | undefined;
}

/** Maps between rows [N, D] and latent rows [N, L]. */
export interface TensorMaps {
  toLatent(x: Tensor, context?: Tensor): Tensor;
  toData(z: Tensor, context?: Tensor): Tensor;
}

/** The maps of a flow. Throws `ARGUMENT` if it has none. */
function mapsOf(flow: Flow): TensorMaps {
  if (!flow.bijection.isIdentity) {
    return {
      toLatent: (x, context) => flow.toLatent(x, context),
      toData: (z, context) => flow.toData(z, context),
    };
  }
  throw new PushforwardError("ARGUMENT", "the flow has no map between rows and latent rows", {
    hint: "Export its density or its sampler.",
  });
}

/** Implements `Flow.exportOnnx`. Throws `ARGUMENT` for `latent` and `data` if there are no maps. */
export function exportFlow(
  flow: Flow,
  options: ExportFlowOptions | undefined,
  { labels, image, maps }: DescribedRows = {},
): ExportedModel {
  const { what, precision, isGenerated, metadata } = checkedOptions("exportOnnx", options, EXPORTS);
  checkPrecision(flow.columnForFloat64(), precision);
  const { features, context: C, columns } = flow;
  const data: Declaration = {
    value: image
      ? {
          name: "x",
          meaning: `pixels of images [${image.join(", ")}], which are integers from 0`,
          image,
        }
      : { name: "x", meaning: "rows of the data", ...(columns && { columns }) },
    shape: ["N", features],
  };
  const latent: Declaration = {
    value: {
      name: "z",
      // A flow without a bijection has the identity.
      meaning:
        what === "density" && flow.bijection.isIdentity
          ? "the rows x, because the flow has no map"
          : "latent variables",
      unit: "",
    },
    shape: ["N", features],
  };
  const noiseValues = noiseInputs(flow.noise, isGenerated);
  const context = C > 0 ? [input(CONTEXT, ["N", C])] : [];
  const [inputs, outputs] = {
    density: [[data], [flow.isBound ? BOUND : LOG_DENSITY, latent]],
    // There is one sample for each row of the context.
    sampler: [isGenerated && C > 0 ? [] : noiseValues, [data]],
    latent: [[data], [latent]],
    data: [[latent], [data]],
  }[what];
  const model = new ModelExport(what, precision, [...inputs, ...contextOf(flow, labels)], outputs);
  const rows = input("rows", ["N", features]);
  const noise = flow.noise.map(({ size }, i) => input(`noise${i}`, ["N", size]));
  const [tensors, results] = {
    density: () => [[rows], { ...flow.density(rows, ...context) }] as const,
    sampler: () => [noise, { x: flow.sample(noise, ...context) }] as const,
    latent: () => [[rows], { z: (maps ?? mapsOf(flow)).toLatent(rows, ...context) }] as const,
    data: () => [[rows], { x: (maps ?? mapsOf(flow)).toData(rows, ...context) }] as const,
  }[what]();
  const values =
    what === "sampler" && isGenerated
      ? flow.noise.map((each) => model.addNoise(each, C > 0 ? model.addRowCount(CONTEXT) : "rows"))
      : inputs.map(({ value }) => value.name);
  const computed = model.compute<string>(
    [...tensors, ...context],
    [...values, ...context.map(() => CONTEXT)],
    results,
    { parameterNames: parameterNames(flow) },
  );
  return model.finish(Object.values(computed), metadata);
}

/** The declaration of the context of a conditional flow, in a list; an empty list for another flow. */
export const contextOf = (
  { context, contextColumns }: Flow,
  labels: DescribedRows["labels"],
): readonly Declaration[] =>
  context === 0
    ? []
    : [
        {
          value: {
            name: CONTEXT,
            meaning: "context of the rows",
            ...(contextColumns && { columns: contextColumns }),
            ...(labels && { labels }),
          },
          shape: ["N", context],
        },
      ];

/** The name of the input for the context of a conditional flow. */
export const CONTEXT = "context";

export const LOG_DENSITY: Declaration = {
  value: { name: "logProb", meaning: "log-density of the rows", unit: "nats" },
  shape: ["N"],
};

export const BOUND: Declaration = {
  value: { name: "logProb", meaning: "lower bound of the log-probability of the rows", unit: "nats" },
  shape: ["N"],
};

export const parameterNames = (flow: Flow): Map<Parameter, string> =>
  new Map([...flow.parameters()].map(([name, parameter]) => [parameter, name]));

/** Throws `ARGUMENT` if the precision is float32 and `column` needs float64. */
export function checkPrecision(column: Float64Column | undefined, precision: Precision): void {
  if (!column || precision === "float64") return;
  throw new PushforwardError("ARGUMENT", "float32 is too coarse for a standardization of this flow", {
    expected: 'precision: "float64"',
    received: `column ${column.column} of center ${column.center} and standard deviation ${column.deviation}`,
    hint: 'Export it with { precision: "float64" }, or different rows become equal.',
  });
}

const isText = (value: unknown) => typeof value === "string";

/** Checks options and fills in their defaults. The first of `exports` is the default of `what`. Throws `ARGUMENT`. */
export function checkedOptions<W extends string>(
  owner: string,
  options: ExportFlowOptions | undefined,
  exports: readonly W[],
) {
  checkOptions(owner, options, {
    what: oneOf(...exports),
    precision: oneOf("float32", "float64"),
    noise: oneOf("input", "generated"),
    metadata: {
      expected: `an object of strings without the key ${DESCRIPTION_KEY}, which has the description of the model`,
      accepts: (value) =>
        isPlainObject(value) && Object.values(value).every(isText) && !(DESCRIPTION_KEY in value),
    },
  });
  const { what = exports[0], precision = "float32", noise = "input", metadata = {} } = options ?? {};
  if (noise === "generated" && what !== "sampler")
    throw invalidOption(owner, "noise", '"input", except for a sampler', noise);
  return { what: what as W, precision, isGenerated: noise === "generated", metadata };
}
