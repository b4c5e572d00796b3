import { identityOrder, reverseOrder } from "../../bijections/index.ts";
import { type Distribution, Mixture } from "../../distributions/index.ts";
import { arrayInput, BatchRunner, type Flow, type RunOptions } from "../../flows/index.ts";
import { concat } from "../../graph/index.ts";
import { parametersOf } from "../../nn/index.ts";
import { inFloat64 } from "../../runtime/index.ts";
import { MixedMade } from "../densities/index.ts";

/**
 * Computes the surprise -log P(|X_k - x_k| <= r_k | the features before k) of each feature k of rows under the autoregressive component of
 * a model, in the order of the features and in the reverse order. Two orders are needed because only the last value of an unlikely
 * combination is surprising, and its surprise depends on which value comes last. Unlike a density, the probability of an interval is the
 * same in all units, and comparable between continuous values, integers and single values that repeat.
 *
 * A component that was trained for a single order has only this order. A model without such a component has a single factor with the
 * surprise -log p(x).
 */
export class Surprise {
  /** The number of orders. */
  readonly orders: number;
  /** The number of factors of an order. */
  readonly factors: number;
  private readonly flow: Flow;
  private readonly made: MixedMade | undefined;
  private readonly radii: Float64Array;
  private readonly runner: BatchRunner | undefined;

  /** `radii` are the numbers r [D]. */
  constructor(flow: Flow, radii: Float64Array) {
    const made = flow.bijection.isIdentity ? autoregressiveMember(flow.base) : undefined;
    this.flow = flow;
    this.made = made;
    this.radii = radii;
    this.orders = made?.supportsSubsets ? 2 : 1;
    this.factors = made ? made.features : 1;
    this.runner = made && new BatchRunner(() => parametersOf(made));
  }

  /** [N, orders, factors] for rows of features [N, D]. */
  async compute(features: Float64Array, run: RunOptions = {}): Promise<Float64Array> {
    const { made, runner, flow } = this;
    if (!made || !runner) return (await flow.logProb(features, undefined, run)).map((value) => -value);
    const D = made.features;
    const radii = Array.from(this.radii);
    const reverse = made.inPossibleOrder(reverseOrder(D));
    const orders = [identityOrder(D), reverse].slice(0, this.orders);
    const { surprise } = await runner.run(
      "surprise",
      (x) => {
        const masses = orders.map((positions) => made.conditionalMasses(x, positions, radii));
        return { surprise: concat(masses, 0).neg().transpose() };
      },
      [arrayInput({ values: features, features: D })],
      features.length / D,
      // In float32, both ends of an interval around a far value can be equal.
      run.precision === undefined ? inFloat64(run) : run,
    );
    return surprise;
  }

  async release(): Promise<void> {
    await this.runner?.release();
  }
}

/**
 * The distribution itself, or the first component of a mixture, that has a conditional distribution for each feature. In a cross-validated
 * model it is the network that was trained on the first split, to which the validation rows of this split are new.
 */
function autoregressiveMember(base: Distribution): MixedMade | undefined {
  if (base instanceof MixedMade) return base;
  if (!(base instanceof Mixture)) return undefined;
  return base.distributions.map(autoregressiveMember).find((member) => member !== undefined);
}
