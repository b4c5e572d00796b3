import type { Parameter } from "../graph/parameter.ts";
import { FlatParameters } from "./flatParameters.ts";
import { Optimizer, type OptimizerOptions } from "./optimizer.ts";
import { RunningStatistics } from "./runningStatistics.ts";

/** How often training goes back to good weights before it gives up. */
export const MOST_RECOVERIES = 3;

export interface DescentSettings {
  readonly optimizer: OptimizerOptions & { readonly learningRate: number };
  readonly clipNorm: number;
  readonly averageDecay: number;
}

/**
 * Steps of the trainable parameters along the gradient in their flat buffer: clipped, by an optimizer, with a moving average
 * of the weights behind them, and a way back to weights that were good.
 */
export class Descent {
  readonly trainable: ReadonlyMap<string, Parameter>;
  readonly flat: FlatParameters;
  readonly running: RunningStatistics;
  readonly optimizer: Optimizer;
  recoveries = 0;
  private readonly settings: DescentSettings;
  private good!: Record<"values" | "average" | "running", Float32Array>;

  /** Up to `threads` compute the gradient, and the steps along it. */
  constructor(parameters: ReadonlyMap<string, Parameter>, settings: DescentSettings, threads: number) {
    this.trainable = new Map([...parameters].filter(([, p]) => p.trainable));
    this.running = new RunningStatistics(parameters);
    // Statistics are those of the whole batch.
    const parts = this.running.parameters.length > 0 ? 1 : threads;
    this.flat = new FlatParameters(this.trainable, parts);
    this.optimizer = new Optimizer(settings.optimizer, this.flat);
    this.settings = settings;
  }

  /** Remembers the weights as those to go back to. */
  remember(): void {
    const { flat, running } = this;
    this.good = { values: flat.values.slice(), average: flat.average.slice(), running: running.copy() };
  }

  /** One step along a gradient of the given norm, `schedule` times the step size of the options; gives the step size. */
  async step(gradientNorm: number, schedule: number): Promise<number> {
    const { clipNorm, averageDecay, optimizer } = this.settings;
    const scale = 0.5 ** this.recoveries * schedule;
    const { steps } = this.optimizer;
    // A young average forgets its start faster, so it never lags behind by more than it has seen.
    const decay = Math.min(averageDecay, (2 + steps) / (11 + steps));
    const clipped = gradientNorm > clipNorm ? clipNorm / gradientNorm : 1;
    await this.optimizer.step(scale, clipped, averageDecay === 0 ? 0 : 1 - decay);
    return scale * optimizer.learningRate;
  }

  /** Back to the remembered weights. */
  restore(): void {
    this.flat.assign(this.good.values);
    this.flat.average.set(this.good.average);
    this.running.set(this.good.running);
    this.optimizer.reset();
  }

  /** Back to the remembered weights, with half the step size from now on; false if that was done too often already. */
  goBack(): boolean {
    this.restore();
    return this.recoveries++ < MOST_RECOVERIES;
  }

  /** The weights that training is to give: their moving average, unless that is turned off. */
  candidate(): Float32Array {
    return this.settings.averageDecay === 0 ? this.flat.values : this.flat.average;
  }
}
