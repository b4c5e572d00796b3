import type { Graph, Tensor } from "../../src/graph/index.ts";
import { sizeOf } from "../../src/graph/shape.ts";
import { Team } from "../../src/runtime/team.ts";
import type { Case } from "./cases.ts";

/**
 * Floating-point operations of a graph over so many rows in its products of matrices, whatever is 0 in them: 2 for each number
 * of a result and each term of that. Undefined if there is a loop, whose turns nobody knows beforehand.
 */
export function performed({ nodes }: Pick<Graph, "nodes">, rows: number): number | undefined {
  if (nodes.some(({ operation }) => operation.name === "loop")) return undefined;
  return nodes.reduce((sum, node) => sum + 2 * sizeOf(node.shape, rows) * terms(node, rows), 0);
}

/** The terms of each number of a product; 0 for other operations. */
function terms({ operation, inputs: [x], attributes }: Tensor, rows: number): number {
  const { name } = operation;
  if (name === "matmul" || name === "affine")
    return sizeOf([x.shape.at(attributes.transposeA ? -2 : -1)!], rows);
  return name === "contractLeading" ? sizeOf(x.shape.slice(0, -1), rows) : 0;
}

/** Does `job`, which is to measure a case, and counts what is performed in it for the rows of the case. */
export async function watched<T>(
  benchCase: Case,
  job: () => Promise<T>,
): Promise<{ result: T; operations: number | undefined }> {
  const graphs: Graph[] = [];
  // All that a case may measure is computed by teams.
  const { of } = Team;
  Team.of = (program, ...rest) => {
    graphs.push(program.graph);
    return of.call(Team, program, ...rest);
  };
  try {
    const result = await job();
    const rows = benchCase.job === "train" ? benchCase.batch : benchCase.rows;
    // A training has another graph to validate with, which performs less.
    const counts = graphs.flatMap((graph) => performed(graph, rows) ?? []);
    return { result, operations: counts.length < graphs.length ? undefined : Math.max(...counts) };
  } finally {
    Team.of = of;
  }
}
