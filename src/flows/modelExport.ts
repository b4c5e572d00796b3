import type { Noise } from "../distributions/index.ts";
import {
  buildGraph,
  ElementType,
  input,
  type OnnxAttribute,
  type Parameter,
  type Shape,
  type Tensor,
} from "../graph/index.ts";
import { type FileValue, floatType, GraphWriter, OnnxFile, type Precision } from "../onnx/index.ts";
import { VERSION } from "../package/index.ts";

/** The key of the metadata that describes the inputs and outputs of an exported model, as the JSON of `ExportSignature`. */
export const DESCRIPTION_KEY = "pushforward";

/** The operator set of LabelEncoder. All current runtimes can read version 3. */
const ML = { domain: "ai.onnx.ml", version: 3 };

/** An input or an output of an exported model. */
export interface ExportedValue {
  readonly name: string;
  /** What it contains, in words. */
  readonly meaning: string;
  /** The unit of its numbers. Default: the unit of the training rows. */
  readonly unit?: string;
  /** The names of the columns of a tensor [N, D]. */
  readonly columns?: readonly string[];
  /** [height, width, channels] of the images in the rows of a tensor [N, D]. */
  readonly image?: readonly number[];
  /** The names of the classes 0, 1, 2... of the last columns. */
  readonly labels?: readonly (readonly string[])[];
  /** For a column of a table: its name, and the type of its values. */
  readonly column?: string;
  readonly type?: string;
  /** How a missing value is written, `NaN` or an empty text; null if the column had no missing values in training. */
  readonly missing?: string | null;
  /** For noise: its distribution and its number of columns. */
  readonly distribution?: "normal" | "uniform";
  readonly size?: number;
}

/** What an exported file computes, and from what. */
interface ExportSignature {
  /** The version of pushforward. */
  readonly version: string;
  /** What it computes: `density`, `sampler`, `latent` or `data`. */
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

/** An input or an output to declare. The default of its element type is the precision of the model. */
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

  /**
   * Names differ: a column of a table that has the name of another input, and an output that has the name of an input, get a number
   * appended to their names. A column with an empty name, which ONNX does not allow, is called `column`.
   */
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
    const withUniqueName = (declaration: Declaration): Declaration => {
      const { value } = declaration;
      return { ...declaration, value: { ...value, name: names.unique(value.name || "column") } };
    };
    const isColumn = ({ value }: Declaration) => value.column !== undefined;
    for (const declaration of inputs) if (!isColumn(declaration)) names.claim(declaration.value.name);
    const namedInputs = inputs.map((each) => (isColumn(each) ? withUniqueName(each) : each));
    const namedOutputs = outputs.map(withUniqueName);
    for (const each of namedInputs) this.file.input(fileValue(each));
    this.outputs = namedOutputs.map(fileValue);
    this.signature = {
      version: VERSION,
      what,
      precision,
      inputs: namedInputs.map(({ value }) => value),
      outputs: namedOutputs.map(({ value }) => value),
    };
  }

  /**
   * Writes the graph that computes `outputs` from `inputs`. `values` are the names of the ONNX values that are the inputs, in the
   * same order. Returns the names of the values of the outputs.
   */
  compute<K extends string>(
    inputs: readonly Tensor[],
    values: readonly string[],
    outputs: Readonly<Record<K, Tensor>>,
    { precision = this.precision, parameterNames }: ComputeOptions = {},
  ): Record<K, string> {
    const graph = buildGraph(inputs, outputs, {
      parameterNames,
      fixedParameters: precision === "float32",
    });
    const byName = new Map(graph.inputs.map(({ name }, i) => [name, values[i]]));
    const written = new GraphWriter(this.file, precision).write(graph, { inputs: byName });
    return Object.fromEntries(written) as Record<K, string>;
  }

  /** Adds a constant vector of int64, and returns the name of its value. */
  addIntegers(values: readonly number[]): string {
    const name = this.file.names.unique("integers");
    this.file.initializers.push({
      name,
      dims: [values.length],
      elementType: ElementType.INT64,
      rawData: new Uint8Array(BigInt64Array.from(values, BigInt).buffer),
    });
    return name;
  }

  /** Adds a node, and returns the name of its output. */
  addNode(type: string, inputs: readonly string[], attributes: Record<string, OnnxAttribute> = {}): string {
    const name = this.file.names.unique(type.toLowerCase());
    const domain = type === "LabelEncoder" ? { domain: ML.domain } : {};
    this.file.nodes.push({ name, opType: type, ...domain, inputs, outputs: [name], attributes });
    return name;
  }

  /** Converts a value of float64 to the precision of the model. */
  fromFloat64(value: string): string {
    return this.precision === "float64" ? value : this.cast(value, ElementType.FLOAT);
  }

  /** Converts a value of the precision of the model to float64. */
  toFloat64(value: string): string {
    return this.precision === "float64" ? value : this.cast(value, ElementType.DOUBLE);
  }

  /** Adds a node that computes the number of rows of a value, as a vector of one integer, and returns its name. */
  addRowCount(value: string): string {
    return this.addNode("Shape", [value], { start: 0, end: 1 });
  }

  /**
   * Adds nodes that draw noise [N, size] in the runtime, and returns the name of its value. `rows` names a value with N as a
   * vector of one integer.
   */
  addNoise({ kind, size }: Noise, rows: string): string {
    const { precision } = this;
    const shape = this.addNode("Concat", [rows, this.addIntegers([size])], { axis: 0 });
    const dtype = floatType(precision);
    const like = this.cast(this.addNode("ConstantOfShape", [shape]), dtype);
    if (kind === "normal") return this.addNode("RandomNormalLike", [like], { dtype });
    const drawn = this.addNode("RandomUniformLike", [like], { dtype });
    // Quantile functions are infinite at 0 and 1, which the runtime may draw.
    const u = input("u", ["N", size]);
    return this.compute([u], [drawn], { inside: u.clip(2 ** -25, 1 - 2 ** -24) }).inside;
  }

  private cast(value: string, elementType: number): string {
    return this.addNode("Cast", [value], { to: elementType });
  }

  /** Declares the outputs, and returns the bytes of the file. `values` are the names of the values of the outputs. */
  finish(values: readonly string[], metadata: Readonly<Record<string, string>> = {}): ExportedModel {
    this.outputs.forEach((output, i) => {
      this.file.output(output, values[i]);
    });
    const { signature } = this;
    const names = (of: readonly ExportedValue[]) => of.map(({ name }) => name).join(", ");
    const bytes = this.file.encoded({
      metadata: { [DESCRIPTION_KEY]: JSON.stringify(signature), ...metadata },
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

/** The input of a sampler whose noise the runtime draws. */
const ROWS: Declaration = {
  value: { name: "rows", meaning: "the number of samples, as a vector of one int64" },
  shape: [1],
  elementType: ElementType.INT64,
};

/** The inputs of a sampler for its noise: `noise0`, `noise1`..., or `rows` if the runtime draws the noise. */
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
