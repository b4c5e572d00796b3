import { concat, Parameter, scoped, type Tensor, WEIGHT } from "../graph/index.ts";
import type { Random } from "../random/index.ts";
import type { IncrementalNetwork } from "./incremental.ts";
import type { Autoregression } from "./maskedMLP.ts";
import { MLP, type NetworkDescription } from "./mlp.ts";
import { requireColumns } from "./requireColumns.ts";

/**
 * An autoregressive network that has a separate MLP for each output, which reads the inputs of lower degree and the context. An
 * output without inputs is a learned number. `MaskedMLP` computes all outputs by one network instead.
 */
export class SeparateMLPs {
  readonly networks: readonly (MLP | Parameter)[];
  private readonly autoregression: Autoregression;
  /** For each output, its inputs in the order of their degrees. */
  private readonly inputsOfOutputs: readonly (readonly number[])[];

  /**
   * `options` are those of each `MLP`, without defaults. `random` draws the initial weights; the last layers start at 0. Throws `ARGUMENT` if the
   * options are not valid. `hiddenDegrees` and `dense` have no effect.
   */
  constructor(autoregression: Autoregression, options: NetworkDescription, random: Random) {
    const { inputDegrees, outputDegrees, context } = autoregression;
    const byDegree = inputDegrees.map((_, i) => i).sort((i, k) => inputDegrees[i] - inputDegrees[k]);
    this.autoregression = autoregression;
    this.inputsOfOutputs = outputDegrees.map((degree) => byDegree.filter((i) => inputDegrees[i] < degree));
    this.networks = this.inputsOfOutputs.map(({ length }, output) =>
      length + context > 0
        ? new MLP(length, 1, options, random.split(output), context)
        : new Parameter([1], 0, { domain: WEIGHT }),
    );
  }

  /** [N, inputs], [N, context] -> [N, outputs]. Throws `SHAPE` for other numbers of columns. */
  apply(x: Tensor, context?: Tensor): Tensor {
    requireColumns("input", x, this.autoregression.inputDegrees.length);
    requireColumns("context", context, this.autoregression.context);
    const columns = this.networks.map((network, output) => {
      if (network instanceof Parameter) return network.broadcastTo(["N", 1]);
      const inputs = this.inputsOfOutputs[output];
      return this.run(output, network, inputs.length > 0 ? x.gather(1, inputs) : undefined, context);
    });
    return concat(columns, 1);
  }

  /**
   * The same networks, which take their inputs one after the other in the order of their degrees. Throws `SHAPE` for another context than
   * [N, context].
   */
  incremental(context?: Tensor): IncrementalNetwork {
    requireColumns("context", context, this.autoregression.context);
    const inputs: Tensor[] = [];
    return {
      addInputs: (_degree: number, values: Tensor) => {
        inputs.push(values);
      },
      outputs: (degree: number): Tensor => {
        const columns = this.networks.flatMap((network, output) => {
          if (this.autoregression.outputDegrees[output] !== degree) return [];
          if (network instanceof Parameter) return [network];
          return [this.run(output, network, inputs.length > 0 ? concat(inputs, 1) : undefined, context)];
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
