import * as z from "zod/mini";
import type { DataRows } from "../bijections/index.ts";
import { type Limits, parse } from "../check/index.ts";
import { concat, constant, LOGARITHM, Parameter, type Tensor } from "../graph/index.ts";
import { sizeSchema } from "../parts/index.ts";
import type { Random } from "../random/index.ts";
import { chooseComponent } from "./chooseComponent.ts";
import {
  type Distribution,
  type DistributionKind,
  gaussianExponent,
  HALF_LOG_2_PI,
  type Noise,
} from "./distribution.ts";
import type { FitGaussianMixtureResult } from "./expectationMaximization.ts";
import { chooseGaussianMixture } from "./mixtureSelection.ts";

const gaussianMixtureSchema = z.strictObject({
  type: z.literal("gaussianMixture"),
  features: sizeSchema,
  components: sizeSchema,
});

/**
 * Mixture of K full-covariance Gaussians of D features: log p(x) = logsumexp_k(log w_k + log N(x; m_k, S_k)).
 *
 * The parameters are Cholesky factors of the precisions, S_k^-1 = A_k A_k^T with A_k lower triangular and a diagonal of
 * exp(d_k), so that a density needs one matrix product for all components. Initially the means are standard normal (0 for a
 * single component) and the covariances are identity matrices. `fitToData` runs expectation maximization (Dempster et al.
 * 1977), and chooses the number of components, at most K, by held-out rows.
 */
export class GaussianMixture implements Distribution {
  readonly features: number;
  readonly context = 0;
  readonly components: number;
  readonly noise: readonly Noise[];
  /** [K] unnormalized log-weights. */
  readonly logWeights: Parameter;
  /** [K, D] */
  readonly means: Parameter;
  /** [K, D] logarithm of the diagonal of A_k. */
  readonly logDiagonal: Parameter;
  /** [K, D, D] A_k below its diagonal; other elements are not used. */
  readonly lower: Parameter;

  /**
   * `random` draws the initial means. Throws `ARGUMENT` if `features`, which is D, or `components`, which is K, is not a positive
   * integer.
   */
  constructor(options: { features: number; components: number }, random: Random) {
    const description = { type: "gaussianMixture", ...options };
    const { features, components } = parse(gaussianMixtureSchema, description, "a Gaussian mixture");
    this.features = features;
    this.components = components;
    this.noise = [
      { kind: "uniform", size: 1 },
      { kind: "normal", size: features },
    ];
    this.logWeights = new Parameter([components], 0);
    const scale = components === 1 ? 0 : 1;
    this.means = new Parameter([components, features], () =>
      random.normal(new Float32Array(components * features)).map((x) => x * scale),
    );
    this.logDiagonal = new Parameter([components, features], 0, { domain: LOGARITHM });
    this.lower = new Parameter([components, features, features], 0);
  }

  logProb(x: Tensor): Tensor {
    const { features: D, components: K } = this;
    const factors = this.factors();
    // y_k = A_k^T (x - m_k) for all k in one product: the columns of [D, K D] are the columns of all A_k.
    const columns = factors.transpose([1, 0, 2]).reshape([D, K * D]);
    const offsets = this.means
      .reshape([K, 1, D])
      .matmul(factors)
      .reshape([K * D])
      .neg();
    const y = x.affine(columns, offsets).reshape(["N", K, D]);
    const logNorm = this.logDiagonal.sum(1).sub(D * HALF_LOG_2_PI);
    return gaussianExponent(y).add(logNorm).add(this.logWeights.logSoftmax()).logsumexp(1);
  }

  sample([uniform, normal]: readonly Tensor[]): Tensor {
    const { features: D, components: K } = this;
    const chosen = chooseComponent(this.logWeights, uniform);
    const mean = chosen.matmul(this.means);
    const factor = chosen.matmul(this.factors().reshape([K, D * D])).reshape(["N", D, D]);
    // x - m = A^-T e by back substitution.
    const solved: Tensor[] = [];
    for (let i = D - 1; i >= 0; i--) {
      const column = factor.slice(2, i, i + 1).reshape(["N", D]);
      let residual = normal.slice(1, i, i + 1);
      if (solved.length > 0)
        residual = residual.sub(
          column
            .slice(1, i + 1, D)
            .mul(concat(solved, 1))
            .sum(1, { keepAxes: true }),
        );
      solved.unshift(residual.div(column.slice(1, i, i + 1)));
    }
    return concat(solved, 1).add(mean);
  }

  async fitToData(data: DataRows, heldOut?: DataRows, limits?: Limits): Promise<void> {
    this.assign(await chooseGaussianMixture(data, this.components, heldOut, limits));
  }

  /** Sets the parameters to a fitted mixture. Components that it does not have get a weight of about 0. */
  assign(fit: FitGaussianMixtureResult): void {
    const { features: D } = this;
    this.logWeights.value.fill(Math.log(1e-12));
    this.logWeights.value.set(fit.weights.map((w) => Math.log(Math.max(w, 1e-12))));
    this.means.value.set(fit.means);
    fit.precisionFactors.forEach((a, i) => {
      const row = Math.floor(i / D) % D;
      const column = i % D;
      if (row === column) this.logDiagonal.value[Math.floor(i / (D * D)) * D + row] = Math.log(a);
      else if (row > column) this.lower.value[i] = a;
    });
  }

  /** A_k, [K, D, D]. */
  private factors(): Tensor {
    const { features: D, components: K } = this;
    const identity = constant(
      Array.from({ length: D * D }, (_, i) => (i % (D + 1) === 0 ? 1 : 0)),
      [D, D],
    );
    return this.lower.lowerTriangle(-1).add(this.logDiagonal.exp().reshape([K, D, 1]).mul(identity));
  }

  describe() {
    return { type: "gaussianMixture", features: this.features, components: this.components };
  }
}

export const gaussianMixtureKind: DistributionKind<typeof gaussianMixtureSchema> = {
  schema: gaussianMixtureSchema,
  build: (description, random) => new GaussianMixture(description, random),
};
