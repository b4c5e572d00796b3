import type { RandomStream } from "../../random/index.ts";
import type { ChainProgram, Point } from "./chainProgram.ts";
import { energyOf, leapfrog } from "./nuts.ts";

/**
 * Adapts the step size so that the mean acceptance probability approaches a target: dual averaging (Nesterov 2009; Hoffman and Gelman
 * 2014, section 3.2, with their constants).
 */
export class StepSizeAdaptation {
  private readonly target: number;
  private center = 0;
  private iteration = 0;
  private errorSum = 0;
  private logStepSize = 0;
  private logAverage = 0;

  constructor(initial: number, target: number) {
    this.target = target;
    this.restart(initial);
  }

  /** Begins a new adaptation at this step size. */
  restart(initial: number): void {
    this.center = Math.log(10 * initial);
    this.iteration = 0;
    this.errorSum = 0;
    this.logStepSize = Math.log(initial);
    this.logAverage = 0;
  }

  /** Learns from the acceptance probability of a transition with `stepSize`. */
  update(acceptance: number): void {
    const [shrinkage, offset, decay] = [0.05, 10, 0.75];
    this.iteration++;
    const t = this.iteration;
    const weight = 1 / (t + offset);
    this.errorSum = (1 - weight) * this.errorSum + weight * (this.target - acceptance);
    this.logStepSize = this.center - (Math.sqrt(t) / shrinkage) * this.errorSum;
    const rate = t ** -decay;
    this.logAverage = rate * this.logStepSize + (1 - rate) * this.logAverage;
  }

  /** The step size of the next transition of the warm-up. */
  get stepSize(): number {
    return Math.exp(this.logStepSize);
  }

  /** The step size after the warm-up. */
  get averageStepSize(): number {
    return Math.exp(this.logAverage);
  }
}

/** Estimates variances of the coordinates from positions, by Welford's algorithm. */
export class VarianceEstimate {
  private count = 0;
  private readonly mean: Float64Array;
  private readonly squares: Float64Array;

  constructor(features: number) {
    this.mean = new Float64Array(features);
    this.squares = new Float64Array(features);
  }

  add(position: Float64Array): void {
    this.count++;
    position.forEach((value, i) => {
      const difference = value - this.mean[i];
      this.mean[i] += difference / this.count;
      this.squares[i] += difference * (value - this.mean[i]);
    });
  }

  /** The variances, shrunk towards 0.001 as in Stan: n / (n + 5) of the estimate plus 5 / (n + 5) of 0.001. */
  variances(): Float64Array {
    const n = this.count;
    return this.squares.map((square) => (n / (n + 5)) * (square / (n - 1)) + 0.001 * (5 / (n + 5)));
  }
}

/**
 * The windows of a warm-up, as in Stan: the first begins at iteration `start`, and each ends after an iteration of `ends`, where the
 * variances of the positions in the window become the inverse mass matrix. Each window has twice the length of the one before, except for
 * the last. The iterations before the windows find the region of large density; those after them only adapt the step size.
 */
export function massWindows(warmUp: number): { readonly start: number; readonly ends: ReadonlySet<number> } {
  const start = Math.round(0.075 * warmUp);
  // The step size needs some 20 iterations to adapt to the last variances.
  const end = warmUp - Math.round(Math.max(0.05 * warmUp, Math.min(20, 0.3 * warmUp))) - 1;
  const ends = new Set<number>();
  let size = Math.max(10, Math.round(0.025 * warmUp));
  for (let position = start; position < end; size *= 2) {
    const next = position + size;
    position = next + 2 * size > end ? end : next;
    ends.add(position);
  }
  return { start, ends };
}

/**
 * A step size for which a leapfrog step has an acceptance probability of about 0.8 (Hoffman and Gelman 2014, algorithm 4), and the number of
 * leapfrog steps that it took to find it.
 */
export function* initialStepSize(
  point: Point,
  variances: Float64Array,
  guess: number,
  random: RandomStream,
): ChainProgram<{ readonly stepSize: number; readonly steps: number }> {
  const threshold = Math.log(0.8);
  let stepSize = guess;
  let grows: boolean | undefined;
  for (let steps = 1; ; steps++) {
    const momentum = random.normal(point.position.length).map((z, i) => z / Math.sqrt(variances[i]));
    const start = { point, momentum };
    const end = yield* leapfrog(start, stepSize, variances);
    const accepted = energyOf(start, variances) - energyOf(end, variances) > threshold;
    grows ??= accepted;
    if (accepted !== grows || stepSize < 1e-12 || stepSize > 1e7) return { stepSize, steps };
    stepSize *= grows ? 2 : 0.5;
  }
}
