import type { Flow } from "../flows/flow.ts";
import { substitute } from "../graph/optimize.ts";
import type { Shape } from "../graph/shape.ts";
import { input, type Tensor } from "../graph/tensor.ts";
import { Random } from "../random/index.ts";
import type { Floats } from "../runtime/compile.ts";
import type { EngineOptions } from "../runtime/engineOptions.ts";
import type { Descent } from "./descent.ts";
import { SharedLoss } from "./sharedLoss.ts";
import type { TargetDensity } from "./targetDensity.ts";

export interface DivergenceSettings {
  readonly batchSize: number;
  readonly seed: number;
  readonly stickTheLanding: boolean;
}

/**
 * The loss of `fitDensity`, with its gradient: KL(q || p) but for the logarithm of the normalizer, as the mean of
 * log q(x) - beta log p~(x) over rows x = f(noise) that the flow draws anew in each step.
 *
 * What a row receives depends on the seed, the step and the row, and not on which thread has it.
 */
export class ReverseDivergence {
  private readonly flow: Flow;
  private readonly settings: DivergenceSettings;
  private readonly loss: SharedLoss;

  private constructor(flow: Flow, settings: DivergenceSettings, loss: SharedLoss) {
    this.flow = flow;
    this.settings = settings;
    this.loss = loss;
  }

  static async of(
    flow: Flow,
    logDensity: TargetDensity,
    { trainable, flat }: Descent,
    settings: DivergenceSettings,
    options: EngineOptions,
  ): Promise<ReverseDivergence> {
    const loss = {
      inputs: [["N"], [], ...flow.base.noise.map(({ size }) => ["N", size] as Shape)] satisfies Shape[],
      trace([weights, beta, ...noise]: readonly Tensor[]) {
        const { samples: value, logProb } = flow.sampleAndLogProb(noise);
        const logQ = settings.stickTheLanding ? fixedLogDensity(flow, value) : logProb;
        const logP = logDensity(value);
        const mean = (x: Tensor) => x.mul(weights).sum();
        return { loss: mean(logQ.sub(logP.mul(beta))), elbo: mean(logP.sub(logQ)) };
      },
    };
    const threads = flat.parts.length;
    const sizes = { withGradient: true, threads, share: Math.ceil(settings.batchSize / threads) };
    return new ReverseDivergence(flow, settings, await SharedLoss.of(loss, trainable, flat, sizes, options));
  }

  /** Loss and evidence lower bound in nats of the rows of a step; the gradient of the loss is in the flat buffer. */
  async lossAndGradient(step: number, beta: number): Promise<{ loss: number; elbo: number }> {
    const { batchSize } = this.settings;
    const write = ([weights, factor, ...noise]: readonly Floats[], start: number, end: number) => {
      weights.fill(1 / batchSize, 0, end - start);
      weights.fill(0, end - start);
      factor[0] = beta;
      this.fill(noise, step, start, end);
    };
    const { loss, elbo } = await this.loss.turn(batchSize, write, {
      random: this.random(step).split("drawn"),
      step,
    });
    return { loss, elbo };
  }

  /** The noise that all rows of a step are drawn from, in the order of `base.noise`. */
  noise(step: number): Float32Array[] {
    const { batchSize } = this.settings;
    const noise = this.flow.base.noise.map(({ size }) => new Float32Array(batchSize * size));
    this.fill(noise, step, 0, batchSize);
    return noise;
  }

  release(): Promise<void> {
    return this.loss.release();
  }

  private random(step: number): Random {
    return new Random(this.settings.seed).split("fitDensity").split(step);
  }

  /** Noise of rows start to end - 1; what is left of the arrays repeats the first row. */
  private fill(noise: readonly Floats[], step: number, start: number, end: number): void {
    const random = this.random(step);
    this.flow.base.noise.forEach(({ kind, size }, i) => {
      const count = (end - start) * size;
      random.split(i)[kind](noise[i].subarray(0, count), { offset: start * size });
      for (let k = count; k < noise[i].length; k++) noise[i][k] = noise[i][k % size];
    });
  }
}

/** log q(x) in which x depends on the parameters but the density does not: "sticking the landing" (Roeder et al. 2017). */
function fixedLogDensity(flow: Flow, x: Tensor): Tensor {
  const rows = input("x", ["N", flow.features]);
  const parameters = [...flow.parameters().values()];
  const [fixed] = substitute(
    [flow.logProb(rows)],
    new Map<Tensor, Tensor>([[rows, x], ...parameters.map((p): [Tensor, Tensor] => [p, p.stopGradient()])]),
  );
  return fixed;
}
