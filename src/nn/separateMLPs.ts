import { Parameter, WEIGHT } from "../graph/parameter.ts";
import { concat, type Tensor } from "../graph/tensor.ts";
import { scoped } from "../graph/tracing/scope.ts";
import type { Random } from "../random/index.ts";
import type { Autoregression } from "./maskedMLP.ts";
import { MLP, type NetworkDescription } from "./mlp.ts";

/**
 * A network of its own for each output, which has the inputs of lower degree and the context: what MADE's single masked
 * network took the place of. An output that sees nothing is a number that is learned.
 */
export class SeparateMLPs {
  readonly networks: readonly (MLP | Parameter)[];
  private readonly autoregression: Autoregression;
  /** For each output, the inputs that it sees, in the order of their degrees. */
  private readonly seen: readonly (readonly number[])[];

  constructor(autoregression: Autoregression, options: NetworkDescription, random: Random) {
    const { inputDegrees, outputDegrees, context } = autoregression;
    const byDegree = inputDegrees.map((_, i) => i).sort((i, k) => inputDegrees[i] - inputDegrees[k]);
    this.autoregression = autoregression;
    this.seen = outputDegrees.map((degree) => byDegree.filter((i) => inputDegrees[i] < degree));
    this.networks = this.seen.map(({ length }, output) =>
      length + context > 0
        ? new MLP(length, 1, options, random.split(output), context)
        : new Parameter([1], 0, { domain: WEIGHT }),
    );
  }

  /** [N, inputs], [N, context] -> [N, outputs]. */
  apply(x: Tensor, context?: Tensor): Tensor {
    const columns = this.networks.map((network, output) => {
      if (network instanceof Parameter) return network.broadcastTo(["N", 1]);
      const seen = this.seen[output];
      return this.run(output, network, seen.length > 0 ? x.gather(1, seen) : undefined, context);
    });
    return concat(columns, 1);
  }

  /** The same, fed one input at a time in the order of their degrees: see `Incremental`. */
  incremental(context?: Tensor) {
    const known: Tensor[] = [];
    return {
      feed: (_degree: number, value: Tensor) => {
        known.push(value);
      },
      outputs: (degree: number): Tensor => {
        const columns = this.networks.flatMap((network, output) => {
          if (this.autoregression.outputDegrees[output] !== degree) return [];
          if (network instanceof Parameter) return [network];
          return [this.run(output, network, known.length > 0 ? concat(known, 1) : undefined, context)];
        });
        return concat(columns, -1);
      },
    };
  }

  private run(output: number, network: MLP, inputs: Tensor | undefined, context?: Tensor): Tensor {
    return scoped(`networks.${output}`, () =>
      inputs ? network.apply(inputs, context) : network.apply(context!),
    );
  }
}
