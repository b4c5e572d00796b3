import type { Flow } from "../flows/flow.ts";
import { grad } from "../graph/grad.ts";
import type { Parameter } from "../graph/parameter.ts";
import type { Shape } from "../graph/shape.ts";
import type { Tensor } from "../graph/tensor.ts";
import { type Compiled, compile } from "../runtime/compile.ts";
import type { EngineOptions } from "../runtime/engine.ts";
import type { FlatParameters } from "./flatParameters.ts";
import type { TrainingRows } from "./rows.ts";

/** Rows of float32 as the graphs take them. */
export interface Batch {
  readonly values: Float32Array;
  readonly context: Float32Array;
  readonly weights: Float32Array;
}

/** The training step's graph: minus the weighted mean log-density of a batch, with its gradients in one flat buffer. */
export class Objective {
  private readonly gradients: Compiled<Record<string, Tensor>>;
  private readonly losses: Compiled<Record<string, Tensor>>;
  private readonly conditional: boolean;
  private readonly loss = new Float32Array(1);

  constructor(
    flow: Flow,
    parameters: ReadonlyMap<string, Parameter>,
    batchSize: number,
    options: EngineOptions,
  ) {
    this.conditional = flow.context > 0;
    const shapes: Shape[] = [
      ["N", flow.features],
      ["N"],
      ...(this.conditional ? [["N", flow.context] as Shape] : []),
    ];
    const weighted = (x: Tensor, weights: Tensor, context?: Tensor) =>
      flow.logDensity(x, context).mul(weights).sum().neg();
    const names = [...parameters.keys()];
    const parameterNames = new Map([...parameters].map(([name, parameter]) => [parameter, name]));
    this.gradients = compile(
      (x, weights, context) => {
        const loss = weighted(x, weights, context);
        const gradients = grad(loss, [...parameters.values()]);
        return { loss, ...Object.fromEntries(gradients.map((g, i) => [`gradient/${names[i]}`, g])) };
      },
      shapes,
      { ...options, batch: batchSize, parameterNames },
    );
    this.losses = compile((x, weights, context) => ({ loss: weighted(x, weights, context) }), shapes, {
      ...options,
      parameterNames,
    });
  }

  /** Loss of a batch whose weights sum to 1; the gradients go to `flat.gradient`. */
  async lossAndGradient(batch: Batch, flat: FlatParameters): Promise<number> {
    const outputs: Record<string, Float32Array> = { loss: this.loss };
    for (const [name, view] of Object.entries(flat.gradientViews)) outputs[`gradient/${name}`] = view;
    await this.gradients.into(this.inputs(batch), outputs);
    return this.loss[0];
  }

  /** Weighted mean log-density over all rows, in chunks, in nats. */
  async meanLogDensity(rows: TrainingRows): Promise<number> {
    const chunk = 1024;
    let sum = 0;
    for (let start = 0; start < rows.rows; start += chunk) {
      const indices = Array.from({ length: Math.min(chunk, rows.rows - start) }, (_, i) => start + i);
      await this.losses.into(this.inputs(assemble(rows, indices, indices.length)), { loss: this.loss });
      const weight = indices.reduce((total, i) => total + rows.weights[i], 0);
      sum -= this.loss[0] * weight;
    }
    return sum / rows.weights.reduce((a, b) => a + b, 0);
  }

  async release(): Promise<void> {
    await this.gradients.release();
    await this.losses.release();
  }

  private inputs({ values, weights, context }: Batch): Float32Array[] {
    return this.conditional ? [values, weights, context] : [values, weights];
  }
}

/** Copies the chosen rows into a batch of `size`; missing ones repeat the first with weight 0. Weights sum to 1. */
export function assemble(rows: TrainingRows, indices: ArrayLike<number>, size: number): Batch {
  const width = rows.values.length / rows.rows;
  const contextWidth = rows.context.length / rows.rows;
  const batch = {
    values: new Float32Array(size * width),
    context: new Float32Array(size * contextWidth),
    weights: new Float32Array(size),
  };
  let total = 0;
  for (let i = 0; i < indices.length; i++) total += rows.weights[indices[i]];
  for (let i = 0; i < size; i++) {
    const row = i < indices.length ? indices[i] : indices[0];
    for (let c = 0; c < width; c++) batch.values[i * width + c] = rows.values[row * width + c];
    for (let c = 0; c < contextWidth; c++)
      batch.context[i * contextWidth + c] = rows.context[row * contextWidth + c];
    if (i < indices.length) batch.weights[i] = rows.weights[row] / (total || 1);
  }
  return batch;
}
