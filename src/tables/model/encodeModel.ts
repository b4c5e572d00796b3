import {
  anyValue,
  brief,
  checkOptions,
  isPlainObject,
  type OptionRules,
  PushforwardError,
} from "../../check/index.ts";
import { Flow, type KindOptions, kindRules } from "../../flows/index.ts";
import { input } from "../../graph/index.ts";
import {
  checkDescriptionSize,
  FORMAT,
  KEY,
  parseContainer,
  readModel,
  type TrainingRecord,
} from "../../model/index.ts";
import { encodeWithChecksum, isUnknownType, toStoredArrays } from "../../parts/index.ts";
import { anomalyArrays } from "../anomalies/index.ts";
import { registerTableDensities } from "../densities/index.ts";
import type { LoadedModel } from "./loadedModel.ts";
import * as tableReader from "./tableReader.ts";

/**
 * A model to save. The default names are those of the flow, `columns` and `contextColumns`, or else x1, x2... for columns and c1, c2...
 * for columns of the context.
 */
export type ModelToSave = Pick<LoadedModel, "flow"> & Partial<LoadedModel>;

/** `readModel` checks the values. */
const modelRules: OptionRules<ModelToSave> = {
  flow: anyValue,
  columns: anyValue,
  table: anyValue,
  image: anyValue,
  given: anyValue,
  labels: anyValue,
  training: anyValue,
  anomalies: anyValue,
};

/**
 * Returns a model as the bytes of a model file: a safetensors file with all parameters of the flow, and a JSON description in its
 * metadata. Equal models have equal bytes.
 *
 * Throws `ARGUMENT` for a model that `decodeModel` could not read: a flow with custom classes that are not in `kinds`, with an
 * incomplete description, or whose density reads a parameter that is not in a public property; numbers that are not finite; a
 * wrong number of names.
 */
export function encodeModel(model: ModelToSave, options: KindOptions = {}): Uint8Array {
  if (!isPlainObject(model) || !(model.flow instanceof Flow)) {
    throw new PushforwardError("ARGUMENT", "the argument of encodeModel is not a model", {
      expected: "an object with a Flow: { flow }",
      received: model instanceof Flow ? "a Flow" : brief(model),
      hint: "Write encodeModel({ flow, columns }).",
    });
  }
  checkOptions("encodeModel", model, modelRules);
  checkOptions("encodeModel", options, kindRules);
  const { flow } = model;
  const { columns = flow.columns ?? defaultNames("x", flow.features) } = model;
  const { given = flow.contextColumns ?? defaultNames("c", flow.context) } = model;
  const { table, image, labels, training, anomalies } = model;
  traceDensity(flow);
  const { type: _, ...parts } = flow.describe();
  const description = {
    format: FORMAT,
    flow: parts,
    columns,
    ...(table && { table }),
    ...(image && { image }),
    given,
    ...(labels && { labels }),
    ...(training && { training: trainingAsJson(training) }),
  };
  checkDescriptionSize(description, "ARGUMENT");
  const arrays = new Map([
    ...toStoredArrays(flow.parameters()),
    ...(anomalies ? anomalyArrays(anomalies, flow) : []),
  ]);
  const bytes = encodeWithChecksum(arrays, { [KEY]: JSON.stringify(description) });
  checkReadable(bytes, options);
  return bytes;
}

const defaultNames = (letter: string, count: number): string[] =>
  Array.from({ length: count }, (_, i) => `${letter}${i + 1}`);

/** A training record as JSON can represent it. */
function trainingAsJson({ members, ...record }: TrainingRecord): object {
  return { ...recordAsJson(record), ...(members && { members: members.map(recordAsJson) }) };
}

/** JSON has no -Infinity. A log-density of -Infinity is left out, and `logDensitySchema` reads a missing one as -Infinity. */
function recordAsJson<T extends { readonly validationLogDensity: number }>(record: T): Partial<T> {
  const { validationLogDensity, ...others } = record;
  return validationLogDensity === Number.NEGATIVE_INFINITY ? (others as Partial<T>) : record;
}

/** Builds the graph of the density, which throws if it reads a parameter that is not found in the flow. */
function traceDensity(flow: Flow): void {
  const { features, context } = flow;
  flow.density(input("x", ["N", features]), context > 0 ? input("context", ["N", context]) : undefined);
}

/** Throws `ARGUMENT` if `decodeModel` cannot read the bytes of a model file. */
function checkReadable(bytes: Uint8Array, options: KindOptions): void {
  try {
    registerTableDensities();
    readModel(parseContainer(bytes), options.kinds ?? [], tableReader);
  } catch (error) {
    if (!(error instanceof PushforwardError) || error.code !== "MODEL") throw error;
    const { what, path } = error;
    // A custom class without a kind has an unknown type, or the type of another class with other parameters.
    const unknownType = isUnknownType(error);
    const unknownArray = path?.startsWith("arrays.");
    throw new PushforwardError("ARGUMENT", "the model could not be read back from a file", {
      received: unknownType ? `the type ${error.received}` : what.replace(/\.$/, ""),
      path,
      hint:
        unknownType || unknownArray
          ? 'Give the kinds of custom classes to encodeModel and decodeModel, such as { kinds: [{ bijection: "shear", build: () => new Shear() }] }, or save only the parameters: saveParameters(flow), loadParameters(bytes, flow).'
          : "The description must contain everything that the density depends on, and all numbers must be finite.",
      cause: error,
    });
  }
}
