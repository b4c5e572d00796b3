import * as z from "zod/mini";
import { columnMoments, type DataRows } from "../bijections/index.ts";
import { parse } from "../check/index.ts";
import { LOGARITHM, logOneMinusExp, Parameter, scoped, type Tensor } from "../graph/index.ts";
import { MLP, type NetworkOptions, networkSchema } from "../nn/index.ts";
import { LOG_BOUND } from "../numerics/index.ts";
import { countSchema, sizeSchema } from "../parts/index.ts";
import { Random } from "../random/index.ts";
import {
  type Atoms,
  type Distribution,
  type DistributionKind,
  type Noise,
  onSupport,
} from "./distribution.ts";
import { integerSupport, isInteger } from "./integers.ts";
import { logisticQuantile } from "./logistic.ts";

const discretizedLogisticSchema = z.strictObject({
  type: z.literal("discretizedLogistic"),
  features: sizeSchema,
  values: z.int().check(z.minimum(2), z.maximum(65_536)),
  context: z._default(countSchema, 0),
  /** Used only if `context` is positive. */
  network: z.prefault(networkSchema, {}),
});

/** Options of `DiscretizedLogistic`. */
export interface DiscretizedLogisticOptions {
  /** D, the number of features. */
  features: number;
  /** The values of a feature are 0, 1, ... values - 1. Pixels of 8 bits have 256. */
  values: number;
  /** C, the number of context features. Default 0: an unconditional distribution. */
  context?: number | undefined;
  /** The network that computes locations and scales from the context. Default two hidden layers of 64 units with relu. */
  network?: NetworkOptions | undefined;
}

/** Scales that are fitted to data are at least this fraction of the distance between two values. */
const MIN_FITTED_SCALE = 0.1;

/**
 * Independent features with the integers 0, 1, ... values - 1, whose probabilities are those of the cells of a logistic
 * distribution (Kingma et al. 2016, section C.1): with F the logistic function, location m and scale s,
 *
 *     P(x) = F((x + 1/2 - m) / s) - F((x - 1/2 - m) / s),
 *
 * where the first cell reaches to -infinity and the last one to infinity. `logProb` is in nats, and -Infinity for other numbers.
 * With C context features, a network computes two terms of each feature from the context. The first is multiplied by values / 2 and added
 * to m; the second is clamped smoothly to ±log 1000 and added to log s. Its last layer is not initialized to 0, for the reason that
 * `Bernoulli` states.
 */
export class DiscretizedLogistic implements Distribution {
  readonly features: number;
  readonly context: number;
  readonly values: number;
  readonly noise: readonly Noise[];
  readonly location: Parameter;
  readonly logScale: Parameter;
  readonly network: MLP | undefined;

  /** `random` draws the initial weights of the network. Throws `ARGUMENT` if the options are not valid. */
  constructor(options: DiscretizedLogisticOptions, random = new Random(0)) {
    const { features, values, context, network } = parse(
      discretizedLogisticSchema,
      { type: "discretizedLogistic", ...options },
      "a discretized logistic distribution",
    );
    this.features = features;
    this.context = context;
    this.values = values;
    this.noise = [{ kind: "uniform", size: features }];
    this.location = new Parameter([features], (values - 1) / 2);
    this.logScale = new Parameter([features], Math.log(values / 8), { domain: LOGARITHM });
    if (context > 0) this.network = new MLP(context, 2 * features, network, random, 0, { zeroInit: false });
  }

  get atoms(): readonly Atoms[] {
    return new Array(this.features).fill("all");
  }

  get support() {
    return integerSupport(this.values);
  }

  logProb(x: Tensor, context?: Tensor): Tensor {
    const last = this.values - 1;
    const isValue = isInteger(x, last);
    const value = isValue.where(x, 0);
    const { location, logScale } = this.parametersFor(context);
    const inverse = logScale.neg().exp();
    const low = value.sub(0.5).sub(location).mul(inverse);
    const high = value.add(0.5).sub(location).mul(inverse);
    // F(b) - F(a) = F(b) F(-a) (1 - exp(a - b)), where the last factor depends only on the scale and is left out in the outer cells.
    const lowTerm = value.equal(0).where(0, low.softplus());
    const highTerm = value.equal(last).where(0, high.neg().softplus());
    const isInner = value.greater(0).and(value.less(last));
    const width = isInner.where(logOneMinusExp(inverse), 0);
    return onSupport(x, isValue, width.sub(lowTerm).sub(highTerm).sum(-1));
  }

  sample([uniform]: readonly Tensor[], context?: Tensor): Tensor {
    const { location, logScale } = this.parametersFor(context);
    const x = location.add(logisticQuantile(uniform).mul(logScale.exp()));
    return x
      .add(0.5)
      .floor()
      .clip(0, this.values - 1);
  }

  /** The locations within the range of values, not rounded: [D], or [N, D] for a conditional distribution. */
  center(context?: Tensor): Tensor {
    return this.parametersFor(context).location.clip(0, this.values - 1);
  }

  /** Locations and log-scales, [D], or [N, D] for a conditional distribution. */
  private parametersFor(context: Tensor | undefined): { location: Tensor; logScale: Tensor } {
    const { features: D, values, location, logScale, network } = this;
    if (!network) return { location, logScale };
    const [shift, factor] = scoped("network", () => network.apply(context!)).split(1, [D, D]);
    return {
      location: location.add(shift.mul(values / 2)),
      logScale: logScale.add(factor.softClamp(LOG_BOUND)),
    };
  }

  /** Sets the locations to the means of the rows, and the scales to their standard deviations times sqrt(3) / pi. */
  fitToData(rows: DataRows): void {
    const { mean, deviation } = columnMoments(rows);
    this.location.value = Float32Array.from(mean);
    this.logScale.value = Float32Array.from(deviation, (each) =>
      Math.log(Math.max(MIN_FITTED_SCALE, (each * Math.sqrt(3)) / Math.PI)),
    );
  }

  describe() {
    const { features, values, context, network } = this;
    return {
      type: "discretizedLogistic",
      features,
      values,
      ...(network && { context, network: network.options }),
    };
  }
}

export const discretizedLogisticKind: DistributionKind<typeof discretizedLogisticSchema> = {
  schema: discretizedLogisticSchema,
  build: ({ type: _, ...options }, random) => new DiscretizedLogistic(options, random),
};
