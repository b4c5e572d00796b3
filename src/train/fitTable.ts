import type { ContextEmbeddingOptions } from "../distributions/contextEmbedding.ts";
import type { Flow } from "../flows/flow.ts";
import { tableFlows } from "../flows/tableFlows.ts";
import { type FitResult, fit } from "./fit.ts";
import type { CheckpointStore, FitOptions } from "./options.ts";
import { type RowStream, StreamedRows } from "./rowStream.ts";

/** Rows of named columns: in memory, as `readMatrix` gives them, or a stream. */
export type TableRows = { readonly columns: readonly string[] } & (
  | {
      /** [rows, columns.length] */
      readonly values: ArrayLike<number>;
    }
  | { readonly stream: RowStream }
);

export interface FitTableOptions extends Omit<FitOptions, "initialize" | "checkpoint"> {
  /** Of the context: class labels, or a network before it. */
  embedding?: ContextEmbeddingOptions;
  /** Told before each flow is tried. */
  onFlow?(name: string): void;
  /** Where the checkpoints of the flow of this name are kept. */
  checkpoints?(name: string): CheckpointStore;
}

export interface FittedTable extends FitResult {
  /** The better flow. */
  readonly flow: Flow;
  /** Which of `tableFlows` it is. */
  readonly name: string;
}

/**
 * Learns the density of a table with the defaults of pushforward: trains each of `tableFlows` and keeps the one that
 * gives the held-out rows the higher mean log-density. `maxMinutes` is shared among them.
 *
 * The choice of flows and settings is the outcome of the comparison in docs/defaults.md.
 */
export async function fitTable(table: TableRows, options: FitTableOptions = {}): Promise<FittedTable> {
  const { onFlow, checkpoints, maxMinutes, embedding, ...rest } = options;
  const features = table.columns.length;
  // One first pass over a stream does for all flows.
  const data = "stream" in table ? await StreamedRows.of(table.stream, features, options.seed) : table;
  const rows = data instanceof StreamedRows ? data.rows : data.values.length / features;
  const context = data instanceof StreamedRows ? data.widths.context : (options.context?.length ?? 0) / rows;
  const candidates = tableFlows(features, { rows, context, embedding, seed: options.seed });
  // Small tables gain from large steps and strong decay; what is learned from many rows must not be pulled back.
  const defaults =
    rows > 20_000 ? { learningRate: 1e-3, weightDecay: 0.01 } : { learningRate: 3e-3, weightDecay: 0.3 };
  const optimizer = { ...defaults, ...options.optimizer };
  const start = performance.now();
  let best: FittedTable | undefined;
  for (const [i, { name, flow }] of candidates.entries()) {
    onFlow?.(name);
    const left = maxMinutes === undefined ? undefined : maxMinutes - (performance.now() - start) / 60_000;
    const result = await fit(flow, data, {
      ...rest,
      optimizer,
      ...(left !== undefined && { maxMinutes: left / (candidates.length - i) }),
      ...(checkpoints && { checkpoint: checkpoints(name) }),
    });
    if (!best || result.validationLogDensity > best.validationLogDensity) best = { ...result, flow, name };
    if (result.stopped === "signal") break;
  }
  return best!;
}
