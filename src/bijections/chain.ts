import { PushforwardError } from "../errors.ts";
import { scoped } from "../graph/scope.ts";
import { scalar, type Tensor } from "../graph/tensor.ts";
import type { Bijection, Description, Transformed } from "./bijection.ts";

/** Maps one after the other: `bijections[0]` is next to the base distribution, the last one next to the data. */
export class Chain implements Bijection {
  readonly bijections: readonly Bijection[];
  readonly features: number;
  readonly context: number;

  constructor(bijections: readonly Bijection[]) {
    if (bijections.length === 0)
      throw new PushforwardError("ARGUMENT", "a chain needs at least one bijection");
    const odd = bijections.findIndex((b) => b.features !== bijections[0].features);
    if (odd >= 0) {
      throw new PushforwardError("SHAPE", `bijection ${odd} of a chain does not fit the first`, {
        expected: `${bijections[0].features} features`,
        received: `${bijections[odd].features}`,
      });
    }
    this.bijections = bijections;
    this.features = bijections[0].features;
    this.context = Math.max(...bijections.map((b) => b.context));
  }

  forward(z: Tensor, context?: Tensor): Transformed {
    return this.through([...this.bijections.keys()], z, (b, value) =>
      b.forward(value, b.context > 0 ? context : undefined),
    );
  }

  inverse(x: Tensor, context?: Tensor): Transformed {
    const order = [...this.bijections.keys()].reverse();
    return this.through(order, x, (b, value) => b.inverse(value, b.context > 0 ? context : undefined));
  }

  private through(
    order: readonly number[],
    start: Tensor,
    map: (b: Bijection, value: Tensor) => Transformed,
  ): Transformed {
    let value = start;
    let logDet = scalar(0);
    for (const i of order) {
      const next = scoped(`bijections.${i}`, () => map(this.bijections[i], value));
      value = next.value;
      logDet = logDet.add(next.logDet);
    }
    return { value, logDet };
  }

  describe(): Description {
    return { type: "chain", bijections: this.bijections.map((b) => b.describe()) };
  }
}
