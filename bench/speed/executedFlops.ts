import type { Graph, Tensor } from "../../src/graph/index.ts";
import { sizeOf } from "../../src/graph/shape.ts";
import { ShardedFunction } from "../../src/runtime/shardedFunction.ts";
import type { Case } from "./cases.ts";

/**
 * Floating-point operations that a graph executes in matrix products and convolutions for a batch of `rows` rows, including products with
 * zeros: 2 for each element of a result and each term of its sum. Undefined if the graph has a loop, whose number of
 * iterations depends on the data.
 */
export function executedFlops({ nodes }: Pick<Graph, "nodes">, rows: number): number | undefined {
  if (nodes.some(({ operation }) => operation.name === "loop")) return undefined;
  return nodes.reduce((sum, node) => sum + 2 * sizeOf(node.shape, rows) * termsPerElement(node, rows), 0);
}

/** Number of terms in the sum that is an element of a matrix product or a convolution; 0 for other operations. */
function termsPerElement({ operation, inputs: [x, weight], attributes }: Tensor, rows: number): number {
  const { name } = operation;
  if (name === "convolution" || name === "convolutionOfColumns")
    return sizeOf(weight.shape.slice(0, 3), rows);
  if (name === "convolutionOfChannelBlocks") return sizeOf(weight.shape.slice(1), rows);
  if (name === "weightGradientOfChannelBlocks") return sizeOf(x.shape.slice(0, 3), rows);
  if (name === "matmul" || name === "affine")
    return sizeOf([x.shape.at(attributes.transposeA ? -2 : -1)!], rows);
  return name === "contractLeading" ? sizeOf(x.shape.slice(0, -1), rows) : 0;
}

/** Runs `job`, which measures the case, and counts the operations of the graph that it compiles, for the rows of the case. */
export async function countFlopsOf<T>(
  benchCase: Case,
  job: () => Promise<T>,
): Promise<{ result: T; operations: number | undefined }> {
  const graphs: Graph[] = [];
  // Everything that a case measures is computed by a `ShardedFunction`.
  const original = ShardedFunction.create;
  ShardedFunction.create = (program, ...rest) => {
    graphs.push(program.graph);
    return original.call(ShardedFunction, program, ...rest);
  };
  try {
    const result = await job();
    const rows = benchCase.job === "train" ? benchCase.batch : benchCase.rows;
    // Training compiles a second graph for validation, which has fewer operations than the training step.
    const counts = graphs.flatMap((graph) => executedFlops(graph, rows) ?? []);
    return { result, operations: counts.length < graphs.length ? undefined : Math.max(...counts) };
  } finally {
    ShardedFunction.create = original;
  }
}
