import { constant, type Tensor } from "../graph/tensor.ts";
import { chooseComponent } from "./chooseComponent.ts";
import { HALF_LOG_2_PI, LOWEST_SQUARES, type Noise } from "./distribution.ts";

/**
 * The distribution of one feature given those before it, from numbers that a network gives: `raw` [N, P D] (or [P D] where
 * they are the same for all rows), in P blocks of D columns.
 */
export interface MadeOutputs {
  /** P, the number of columns of a feature. */
  readonly parameters: number;
  /** What drawing a feature takes, for D features. */
  noise(features: number): readonly Noise[];
  /** log p(x_i) of each feature, [N, D]. */
  logProb(x: Tensor, raw: Tensor): Tensor;
  /** Columns [N, 1] of noise and the numbers of one feature -> [N, 1]. */
  sample(noise: readonly Tensor[], raw: Tensor): Tensor;
  /** Where x may lie, if not anywhere. */
  support?(x: Tensor): Tensor;
}

/** x_i = 1 with probability sigmoid(l_i). */
export const bernoulli: MadeOutputs = {
  parameters: 1,
  noise: (features) => [{ kind: "uniform", size: features }],
  logProb: (x, logit) => x.mul(2).sub(1).neg().mul(logit).softplus().neg(),
  sample: ([uniform], logit) => uniform.less(logit.sigmoid()).toFloat(),
  support: (x) => x.equal(0).or(x.equal(1)),
};

/** As far as a network may move a log-deviation, smoothly: nothing overflows. */
const LOG_DEVIATION_BOUND = Math.log(1000);

/** x_i ~ N(m_i, exp(2 s_i)). */
export const gaussian: MadeOutputs = {
  parameters: 2,
  noise: (features) => [{ kind: "normal", size: features }],
  logProb(x, raw) {
    const [mean, logDeviation] = blocks(raw, 2);
    return logNormal(x, mean, logDeviation.softClamp(LOG_DEVIATION_BOUND));
  },
  sample([normal], raw) {
    const [mean, logDeviation] = blocks(raw, 2);
    return normal.mul(logDeviation.softClamp(LOG_DEVIATION_BOUND).exp()).add(mean);
  },
};

/**
 * x_i ~ sum_c w_ic N(m_ic, exp(2 s_ic)) over C components. With raw numbers of 0 these stand side by side, since equal ones
 * would stay equal under gradients: mean 0, deviation 1, half of the variance between the components.
 */
export function mixture(components: number): MadeOutputs {
  const C = components;
  const apart = C > 1 ? Math.sqrt(1.5 / (C * C - 1)) : 0;
  const starts = constant(
    Array.from({ length: C }, (_, c) => apart * (2 * c - (C - 1))),
    [C, 1],
  );
  const start = C > 1 ? 0.5 * Math.log(0.5) : 0;
  /** Each [N, C, D]. */
  const parts = (raw: Tensor) => {
    const [logits, means, logDeviations] = blocks(raw, 3).map((block) => {
      const columns = block.shape.at(-1) as number;
      return block.reshape([...block.shape.slice(0, -1), C, columns / C]);
    });
    return {
      logits,
      means: means.add(starts),
      logDeviations: logDeviations.softClamp(LOG_DEVIATION_BOUND).add(start),
    };
  };
  return {
    parameters: 3 * C,
    noise: (features) => [
      { kind: "uniform", size: features },
      { kind: "normal", size: features },
    ],
    logProb(x, raw) {
      const { logits, means, logDeviations } = parts(raw);
      const row = x.reshape(["N", 1, x.shape[1]]);
      return logNormal(row, means, logDeviations).add(logits.logSoftmax(-2)).logsumexp(-2);
    },
    sample([uniform, normal], raw) {
      const [logits, means, logDeviations] = Object.values(parts(raw)).map((part) =>
        part.reshape(part.shape.slice(0, -1)),
      );
      const chosen = chooseComponent(logits, uniform);
      const pick = (part: Tensor) => chosen.mul(part).sum(1, { keepAxes: true });
      return normal.mul(pick(logDeviations).exp()).add(pick(means));
    },
  };
}

/** Equal parts of the last axis. */
function blocks(raw: Tensor, count: number): Tensor[] {
  const size = (raw.shape.at(-1) as number) / count;
  return raw.split(-1, new Array(count).fill(size));
}

function logNormal(x: Tensor, mean: Tensor, logDeviation: Tensor): Tensor {
  const z = x.sub(mean).mul(logDeviation.neg().exp());
  return z.square().mul(-0.5).maximum(LOWEST_SQUARES).sub(logDeviation).sub(HALF_LOG_2_PI);
}
