import { anyValue, checkOptions, type OptionRules, PushforwardError, trueOrFalse } from "../check/index.ts";
import { isInput } from "./operations/source.ts";
import { Parameter } from "./parameter.ts";
import { lowMemoryOrder } from "./passes/lowMemoryOrder.ts";
import { optimize } from "./passes/optimize.ts";
import { expandOperations, fixedTensors } from "./passes/rewrite.ts";
import { absorbTransposes } from "./passes/transposes.ts";
import { formatShape } from "./shape.ts";
import type { Tensor } from "./tensor.ts";
import { ancestors } from "./traversal.ts";

/** A graph to compile: named inputs, the parameters that it reads, named outputs, and all nodes, inputs before outputs. */
export interface Graph {
  readonly inputs: readonly { readonly name: string; readonly tensor: Tensor }[];
  readonly parameters: readonly { readonly name: string; readonly tensor: Parameter }[];
  readonly outputs: readonly { readonly name: string; readonly tensor: Tensor }[];
  readonly nodes: readonly Tensor[];
}

/** Options of `buildGraph`. */
export interface GraphOptions {
  /** Names of parameters; those without a name here are numbered. Default none. */
  readonly parameterNames?: ReadonlyMap<Parameter, string> | undefined;
  /**
   * True if the parameters are written into a float32 file as constants, so that ONNX Runtime's own convolution, Gelu and
   * LayerNormalization can be used (see `Operation.expand`). Default false.
   */
  readonly fixedParameters?: boolean | undefined;
  /**
   * True if the graph is for onnxruntime-node on an x64 processor, in float32 and with a fixed number of rows, so that convolutions outside of
   * loops may use the NCHWc layout. (Loops are expanded when they are traced, before this option is known.) Default false.
   */
  readonly channelBlocks?: boolean | undefined;
  /** Further rewriting of the simplified outputs. Default `absorbTransposes`. */
  readonly rewrite?: ((simplified: readonly Tensor[]) => Tensor[]) | undefined;
}

const optionRules: OptionRules<GraphOptions> = {
  parameterNames: anyValue,
  fixedParameters: trueOrFalse,
  channelBlocks: trueOrFalse,
  rewrite: anyValue,
};

/**
 * The graph of `outputs`, rewritten by `expandOperations`, `optimize` and then by `rewrite`. Throws `SHAPE` if the batch axis of an output is
 * not the first, and `ARGUMENT` if the graph reads an input that is not in `inputs`.
 */
export function buildGraph(
  inputs: readonly Tensor[],
  outputs: Readonly<Record<string, Tensor>>,
  options: GraphOptions = {},
): Graph {
  checkOptions("buildGraph", options, optionRules);
  const { parameterNames, fixedParameters, channelBlocks } = options;
  const { rewrite = (simplified) => absorbTransposes(simplified) } = options;
  const names = Object.keys(outputs);
  for (const [name, { shape }] of Object.entries(outputs)) {
    if (shape.indexOf("N") > 0) {
      throw new PushforwardError(
        "SHAPE",
        `the batch axis of output ${name} is not its first axis: ${formatShape(shape)}`,
      );
    }
  }
  const traced = Object.values(outputs);
  const fixed = fixedParameters ? fixedTensors(ancestors(traced)) : undefined;
  const optimized = rewrite(optimize(expandOperations(traced, { fixed, channelBlocks })));
  // A graph with a loss, which is reduced over the rows, keeps the order of tracing, from which `schedule` makes one that is fast in training.
  const hasReducedOutput = optimized.some(({ shape }) => shape[0] !== "N");
  const nodes = hasReducedOutput ? ancestors(optimized) : lowMemoryOrder(optimized);
  const declared = new Set<Tensor>(inputs);
  const parameters: { name: string; tensor: Parameter }[] = [];
  for (const node of nodes) {
    if (node instanceof Parameter) {
      parameters.push({ name: parameterNames?.get(node) ?? `parameter${parameters.length}`, tensor: node });
    } else if (isInput(node) && !declared.has(node)) {
      throw new PushforwardError("ARGUMENT", `the graph reads ${node.name}, which is not among its inputs`);
    }
  }
  return {
    inputs: inputs.map((tensor, i) => ({ name: tensor.name ?? `input${i}`, tensor })),
    parameters,
    outputs: names.map((name, i) => ({ name, tensor: optimized[i] })),
    nodes,
  };
}

/** The graph as text, one node per line: `%7 = mul(%3, %5) : [N, 4]  # bijections.0`. */
export function printGraph(graph: Graph): string {
  const labels = new Map<Tensor, string>();
  const lines: string[] = [];
  const named = [...graph.inputs, ...graph.parameters];
  for (const { name, tensor } of named) labels.set(tensor, `%${name}`);
  lines.push(
    `graph(${named.map(({ name, tensor }) => `%${name}: ${formatShape(tensor.shape)}`).join(", ")})`,
  );
  for (const node of graph.nodes) {
    if (labels.has(node)) continue;
    const label = `%${labels.size}`;
    labels.set(node, label);
    const attributes = Object.entries(node.attributes).map(([key, value]) => `${key}=${abbreviate(value)}`);
    const args = [...node.inputs.map((parent) => labels.get(parent)!), ...attributes].join(", ");
    const type = node.type === "bool" ? "bool " : "";
    const comment = node.scope ? `  # ${node.scope}` : "";
    lines.push(`  ${label} = ${node.operation.name}(${args}) : ${type}${formatShape(node.shape)}${comment}`);
  }
  lines.push(
    `  return ${graph.outputs.map(({ name, tensor }) => `${name}=${labels.get(tensor)}`).join(", ")}`,
  );
  return lines.join("\n");
}

function abbreviate(value: unknown): string {
  if (!Array.isArray(value)) return JSON.stringify(value);
  const shown = value.slice(0, 6).join(", ");
  return value.length > 6 ? `[${shown}, ... ${value.length} in all]` : `[${shown}]`;
}
