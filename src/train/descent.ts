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

  constructor(parameters: ReadonlyMap<string, Parameter>, settings: DescentSettings) {
    this.trainable = new Map([...parameters].filter(([, p]) => p.trainable));
    this.flat = new FlatParameters(this.trainable);
    this.running = new RunningStatistics(parameters);
    this.optimizer = new Optimizer(settings.optimizer, this.flat);
    this.settings = settings;
  }

  /** Remembers the weights as those to go back to. */
  remember(): void {
    const { flat, running } = this;
    this.good = { values: flat.values.slice(), average: flat.average.slice(), running: running.copy() };
  }

  /** One step along a gradient of the given norm, `schedule` times the step size of the options; gives the step size. */
  step(gradientNorm: number, schedule: number): number {
    const { clipNorm, optimizer } = this.settings;
    const scale = 0.5 ** this.recoveries * schedule;
    this.optimizer.step(scale, gradientNorm > clipNorm ? clipNorm / gradientNorm : 1);
    this.updateAverage();
    return scale * optimizer.learningRate;
  }

  /** Back to the remembered weights, with half the step size from now on; false if that was done too often already. */
  goBack(): boolean {
    this.flat.values.set(this.good.values);
    this.flat.average.set(this.good.average);
    this.running.set(this.good.running);
    if (this.recoveries >= MOST_RECOVERIES) return false;
    this.recoveries++;
    this.optimizer.reset();
    return true;
  }

  /** The weights that training is to give: their moving average, unless that is turned off. */
  candidate(): Float32Array {
    return this.settings.averageDecay === 0 ? this.flat.values : this.flat.average;
  }

  private updateAverage(): void {
    const { averageDecay } = this.settings;
    if (averageDecay === 0) return;
    // A young average forgets its start faster, so it never lags behind by more than it has seen.
    const decay = Math.min(averageDecay, (1 + this.optimizer.steps) / (10 + this.optimizer.steps));
    this.flat.moveAverage(decay);
  }
}
