import { constant, type Tensor } from "../graph/index.ts";
import { LOG_BOUND } from "../numerics/index.ts";
import { chooseComponent } from "./chooseComponent.ts";
import { HALF_LOG_2_PI, MIN_GAUSSIAN_EXPONENT, type Noise } from "./distribution.ts";

/**
 * The conditional distribution of each feature. A network computes its parameters `raw`, [N, P D] in P blocks of D columns, or
 * [P D] if they are equal for all rows.
 */
export interface MadeOutputs {
  /** P, the number of parameters of a feature. */
  readonly parameters: number;
  /** The random numbers that `sample` takes, for D features. */
  noise(features: number): readonly Noise[];
  /** log p(x_i | x_<i) of each feature, [N, D]. */
  logProb(x: Tensor, raw: Tensor): Tensor;
  /** Samples one feature: columns of noise [N, 1] and its parameters [N, P] -> [N, 1]. */
  sample(noise: readonly Tensor[], raw: Tensor): Tensor;
  /** For discrete outputs, whether each element of x is one of their values, [N, D]; undefined if the support is all of R. */
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

/** x_i ~ N(m_i, exp(2 s_i)). */
export const gaussian: MadeOutputs = {
  parameters: 2,
  noise: (features) => [{ kind: "normal", size: features }],
  logProb(x, raw) {
    const [mean, logDeviation] = blocks(raw, 2);
    return logNormal(x, mean, logDeviation.softClamp(LOG_BOUND));
  },
  sample([normal], raw) {
    const [mean, logDeviation] = blocks(raw, 2);
    return normal.mul(logDeviation.softClamp(LOG_BOUND).exp()).add(mean);
  },
};

/**
 * x_i ~ sum_c w_ic N(m_ic, exp(2 s_ic)) over C components. If `raw` is 0, as initially, the mixture has mean 0 and deviation 1.
 * The initial means of the components differ and contribute half of the variance, since equal components would have equal
 * gradients and stay equal.
 */
export function mixture(components: number): MadeOutputs {
  const C = components;
  const halfDistance = C > 1 ? Math.sqrt(1.5 / (C * C - 1)) : 0;
  const initialMeans = constant(
    Array.from({ length: C }, (_, c) => halfDistance * (2 * c - (C - 1))),
    [C, 1],
  );
  const initialLogDeviation = C > 1 ? 0.5 * Math.log(0.5) : 0;
  /** The parameters of all components, each [N, C, D]. */
  const componentParameters = (raw: Tensor) => {
    const [logits, means, logDeviations] = blocks(raw, 3).map((block) => {
      const columns = block.shape.at(-1) as number;
      return block.reshape([...block.shape.slice(0, -1), C, columns / C]);
    });
    return {
      logits,
      means: means.add(initialMeans),
      logDeviations: logDeviations.softClamp(LOG_BOUND).add(initialLogDeviation),
    };
  };
  return {
    parameters: 3 * C,
    noise: (features) => [
      { kind: "uniform", size: features },
      { kind: "normal", size: features },
    ],
    logProb(x, raw) {
      const { logits, means, logDeviations } = componentParameters(raw);
      const row = x.reshape(["N", 1, x.shape[1]]);
      return logNormal(row, means, logDeviations).add(logits.logSoftmax(-2)).logsumexp(-2);
    },
    sample([uniform, normal], raw) {
      // The parameters of one feature, each [N, C].
      const [logits, means, logDeviations] = Object.values(componentParameters(raw)).map((parameter) =>
        parameter.reshape(parameter.shape.slice(0, -1)),
      );
      const chosen = chooseComponent(logits, uniform);
      const select = (parameter: Tensor) => chosen.mul(parameter).sum(1, { keepAxes: true });
      return normal.mul(select(logDeviations).exp()).add(select(means));
    },
  };
}

/** Splits the last axis into `count` equal parts. */
function blocks(raw: Tensor, count: number): Tensor[] {
  const size = (raw.shape.at(-1) as number) / count;
  return raw.split(-1, new Array(count).fill(size));
}

function logNormal(x: Tensor, mean: Tensor, logDeviation: Tensor): Tensor {
  const z = x.sub(mean).mul(logDeviation.neg().exp());
  return z.square().mul(-0.5).maximum(MIN_GAUSSIAN_EXPONENT).sub(logDeviation).sub(HALF_LOG_2_PI);
}
