import type { Noise } from "../distributions/distribution.ts";
import { buildGraph } from "../graph/graph.ts";
import { ElementType, type OnnxAttribute } from "../graph/operation.ts";
import type { Parameter } from "../graph/parameter.ts";
import type { Shape } from "../graph/shape.ts";
import { input, type Tensor } from "../graph/tensor.ts";
import { floatType, GraphWriter, type Precision } from "../onnx/export.ts";
import { type FileValue, OnnxFile } from "../onnx/file.ts";
import { VERSION } from "../version.ts";

/** The key of the metadata that describes the inputs and outputs of an exported model, as the JSON of `ExportSignature`. */
const KEY = "pushforward";

/** The operators for labels. Version 3 has the LabelEncoder that all runtimes have. */
const ML = { domain: "ai.onnx.ml", version: 3 };

/** An input or an output of an exported model. */
export interface ExportedValue {
  readonly name: string;
  /** What it is. */
  readonly meaning: string;
  /** The unit of its numbers. Default: that of the training rows. */
  readonly unit?: string;
  /** The names of the columns of a tensor [N, D]. */
  readonly columns?: readonly string[];
  /** The names of the classes 0, 1, 2... of the last columns. */
  readonly labels?: readonly (readonly string[])[];
  /** For a column of a table: its name, how its values were learned, and their type. */
  readonly column?: string;
  readonly kind?: string;
  readonly type?: string;
  /** How a missing value is written, `NaN` or an empty text; null if there were none in training. */
  readonly missing?: string | null;
  /** The distribution of a noise, and the number of columns. */
  readonly distribution?: "normal" | "uniform";
  readonly size?: number;
}

/** What an exported file computes. */
export interface ExportSignature {
  /** The version of pushforward. */
  readonly version: string;
  readonly what: string;
  readonly precision: Precision;
  readonly inputs: readonly ExportedValue[];
  readonly outputs: readonly ExportedValue[];
}

/** An ONNX file, and what its metadata says about it. */
export interface ExportedModel {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly signature: ExportSignature;
}

/** An input or an output to declare. Its shape is by default [N, size], and its type that of the precision. */
export interface Declaration {
  readonly value: ExportedValue;
  readonly shape: Shape;
  readonly elementType?: number;
}

/** An ONNX file of a model that is being written. */
export class ModelExport {
  readonly file = new OnnxFile();
  readonly signature: ExportSignature;
  private readonly precision: Precision;
  private readonly outputs: readonly FileValue[];

  /** An output whose name is taken, which only columns of tables can have, gets a number appended. */
  constructor(
    what: string,
    precision: Precision,
    inputs: readonly Declaration[],
    outputs: readonly Declaration[],
  ) {
    const { names } = this.file;
    this.precision = precision;
    const fileValue = ({ value: { name }, shape, elementType = floatType(precision) }: Declaration) => ({
      name,
      shape,
      elementType,
    });
    for (const declaration of inputs) {
      names.claim(declaration.value.name);
      this.file.input(fileValue(declaration));
    }
    const named = outputs.map((each) => ({
      ...each,
      value: { ...each.value, name: names.unique(each.value.name) },
    }));
    this.outputs = named.map(fileValue);
    this.signature = {
      version: VERSION,
      what,
      precision,
      inputs: inputs.map(({ value }) => value),
      outputs: named.map(({ value }) => value),
    };
  }

  /**
   * Writes a graph with these inputs, of which each has the value of the same position in `values`. Returns the values of the outputs of
   * the graph.
   */
  compute<K extends string>(
    inputs: readonly Tensor[],
    values: readonly string[],
    outputs: Readonly<Record<K, Tensor>>,
    { precision = this.precision, parameterNames }: ComputeOptions = {},
  ): Record<K, string> {
    const graph = buildGraph(inputs, outputs, parameterNames);
    const byName = new Map(graph.inputs.map(({ name }, i) => [name, values[i]]));
    const written = new GraphWriter(this.file, precision).write(graph, { inputs: byName });
    return Object.fromEntries(written) as Record<K, string>;
  }

  /** A vector of int64. */
  integers(values: readonly number[]): string {
    const name = this.file.names.unique("integers");
    this.file.initializers.push({
      name,
      dims: [values.length],
      elementType: ElementType.INT64,
      rawData: new Uint8Array(BigInt64Array.from(values, BigInt).buffer),
    });
    return name;
  }

  /** Adds a node and returns its output. */
  node(type: string, inputs: readonly string[], attributes: Record<string, OnnxAttribute> = {}): string {
    const name = this.file.names.unique(type.toLowerCase());
    const domain = type === "LabelEncoder" ? { domain: ML.domain } : {};
    this.file.nodes.push({ name, opType: type, ...domain, inputs, outputs: [name], attributes });
    return name;
  }

  /** A value of float64 in the precision of the model. */
  fromFloat64(value: string): string {
    return this.precision === "float64" ? value : this.cast(value, ElementType.FLOAT);
  }

  /** A value of the precision of the model in float64. */
  toFloat64(value: string): string {
    return this.precision === "float64" ? value : this.cast(value, ElementType.DOUBLE);
  }

  /** The number of rows of a value, as a vector of one integer. */
  rowsOf(value: string): string {
    return this.node("Shape", [value], { start: 0, end: 1 });
  }

  /** The values of a noise that the runtime draws: [N, size], with the number of rows of the vector `rows`. */
  generated({ kind, size }: Noise, rows: string): string {
    const { precision } = this;
    const shape = this.node("Concat", [rows, this.integers([size])], { axis: 0 });
    const dtype = floatType(precision);
    const like = this.cast(this.node("ConstantOfShape", [shape]), dtype);
    if (kind === "normal") return this.node("RandomNormalLike", [like], { dtype });
    const drawn = this.node("RandomUniformLike", [like], { dtype });
    // Uniform numbers are between 0 and 1, and not 0 or 1.
    const u = input("u", ["N", size]);
    return this.compute([u], [drawn], { inside: u.clip(2 ** -25, 1 - 2 ** -24) }).inside;
  }

  private cast(value: string, elementType: number): string {
    return this.node("Cast", [value], { to: elementType });
  }

  /** The file, whose outputs have these values. */
  encoded(values: readonly string[], metadata: Readonly<Record<string, string>> = {}): ExportedModel {
    this.outputs.forEach((output, i) => {
      this.file.output(output, values[i]);
    });
    const { signature } = this;
    const names = (of: readonly ExportedValue[]) => of.map(({ name }) => name).join(", ");
    const bytes = this.file.encoded({
      metadata: { [KEY]: JSON.stringify(signature), ...metadata },
      documentation: `The ${signature.what} of a normalizing flow of pushforward. Inputs: ${names(signature.inputs)}. Outputs: ${names(signature.outputs)}.`,
      producerVersion: VERSION,
      operatorSets: this.file.nodes.some(({ domain }) => domain === ML.domain) ? [ML] : [],
    });
    return { bytes, signature };
  }
}

interface ComputeOptions {
  readonly precision?: Precision;
  readonly parameterNames?: ReadonlyMap<Parameter, string>;
}

/** The number of rows that a sampler draws if the runtime makes the noise. */
const ROWS: Declaration = {
  value: { name: "rows", meaning: "the number of samples, as a vector of one int64" },
  shape: [1],
  elementType: ElementType.INT64,
};

/** The inputs of a sampler for its noise: `noise0`, `noise1`..., or `rows` if the runtime makes the noise. */
export function noiseInputs(noise: readonly Noise[], isGenerated: boolean): Declaration[] {
  if (isGenerated) return [ROWS];
  return noise.map(({ kind, size }, i) => ({
    value: {
      name: `noise${i}`,
      meaning: kind === "normal" ? "standard normal numbers" : "uniform numbers between 0 and 1",
      unit: "",
      distribution: kind,
      size,
    },
    shape: ["N", size],
  }));
}
