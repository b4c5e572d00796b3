import * as z from "zod/mini";
import { parse } from "../check/index.ts";
import { concat, Parameter, scalar, scoped, solveIncreasing, type Tensor } from "../graph/index.ts";
import { BlockLinear, Linear, requireColumns } from "../nn/index.ts";
import { LOG_BOUND } from "../numerics/index.ts";
import { countSchema, type Description, MAX_LAYERS, sizeSchema } from "../parts/index.ts";
import type { Random } from "../random/index.ts";
import type { Bijection, BijectionKind, Transformed } from "./bijection.ts";

const blockAutoregressiveSchema = z.strictObject({
  type: z.literal("blockAutoregressive"),
  features: sizeSchema,
  context: z._default(countSchema, 0),
  units: z._default(sizeSchema, 8),
  layers: z._default(sizeSchema.check(z.maximum(MAX_LAYERS)), 2),
});

/** Options of `BlockAutoregressive`. */
export interface BlockAutoregressiveOptions {
  /** D, the number of columns of a row. */
  features: number;
  /** C, the number of context features. Default 0: an unconditional map. */
  context?: number | undefined;
  /** Hidden units per feature in each layer. Default 8. */
  units?: number | undefined;
  /** Number of hidden layers. Default 2. */
  layers?: number | undefined;
}

/**
 * Block neural autoregressive flow (De Cao et al. 2019): one network is the bijection. Each weight matrix has a block for each
 * pair of features: blocks on the diagonal are positive, blocks from later to earlier features are 0, the others are free.
 * With tanh activations output i then increases in x_i and depends on x_1 ... x_i only. With h the last hidden layer,
 *
 *     z_i = exp(s_i) (x_i + g_i f_i) + t_i,  f_i = sum_k w_ik h_ik / M_i,  t_i = a linear map of the h_jk with j < i.
 *
 * M_i is the product of the positive blocks between x_i and f_i, so that df_i/dx_i is in (0, 1]. This is the paper's gated
 * residual connection with the gate g_i = exp(r_i) - 1 in (-1, infinity). Without it, tanh would bound z; with it the map is
 * onto R^D and the slopes of x + g f lie between 1 and 1 + g. The map starts as the identity, with g = 0 and t = 0.
 *
 * The density takes one pass. Its derivative is a product of blocks that are normalized to means of numbers in [0, 1], so it
 * cannot overflow. Sampling finds one feature after the other by root finding, evaluating only the blocks of that feature.
 */
export class BlockAutoregressive implements Bijection {
  readonly features: number;
  readonly context: number;
  readonly blocks: readonly BlockLinear[];
  readonly gate: Parameter;
  readonly logScale: Parameter;
  /** Maps the context to the first hidden layer. */
  readonly fromContext: Linear | undefined;
  private readonly options: z.output<typeof blockAutoregressiveSchema>;

  /** Throws `ARGUMENT` if the options are not valid. */
  constructor(options: BlockAutoregressiveOptions, random: Random) {
    this.options = parse(
      blockAutoregressiveSchema,
      { type: "blockAutoregressive", ...options },
      "a block autoregressive flow",
    );
    const { features, context, units, layers } = this.options;
    this.features = features;
    this.context = context;
    const sizes = [1, ...new Array(layers).fill(units), 1];
    this.blocks = sizes
      .slice(1)
      .map((size, i) => new BlockLinear(features, sizes[i], size, random.split(i), { last: i === layers }));
    if (context > 0) this.fromContext = new Linear(context, features * units, random.split("context"));
    this.gate = new Parameter([features], 0);
    this.logScale = new Parameter([features], 0);
  }

  inverse(x: Tensor, context?: Tensor): Transformed {
    const D = this.features;
    const { gates, logScales, normalizedBlocks, outputWeights } = this.positiveWeights();
    let h = x;
    // The derivative of each unit by its feature, divided by the product of the positive blocks up to the unit.
    let derivative: Tensor | undefined;
    this.blocks.slice(0, -1).forEach((layer, i) => {
      h = scoped(`layers.${i}`, () => layer.apply(h).add(this.contextTerm(i, context))).tanh();
      const tanhSlope = h.square().neg().add(1).reshape(["N", D, 1, layer.outputsPerFeature]);
      derivative = derivative ? derivative.matmul(normalizedBlocks[i]).mul(tanhSlope) : tanhSlope;
    });
    const last = this.blocks.length - 1;
    const hidden = h.reshape(["N", D, 1, this.options.units]);
    const f = hidden.matmul(outputWeights).reshape(["N", D]);
    const slope = derivative!.matmul(normalizedBlocks[last]).reshape(["N", D]);
    return {
      value: x.add(gates.mul(f)).mul(logScales.exp()).add(this.blocks[last].applyOffDiagonal(h)),
      logDet: gates.mul(slope).log1p().add(logScales).sum(-1),
    };
  }

  forward(z: Tensor, context?: Tensor): Transformed {
    const last = this.blocks.length - 1;
    const { gates, logScales, normalizedBlocks, outputWeights } = this.positiveWeights();
    /** For each layer, its inputs from the features before i, whose x is already computed. */
    const solvedInputs: Tensor[][] = this.blocks.map(() => []);
    const logDerivatives: Tensor[] = [];
    for (let i = 0; i < this.features; i++) {
      const ofFeature = (t: Tensor) => t.slice(t.rank - 1, i, i + 1);
      const blockOfFeature = (blocks: Tensor) => blocks.slice(0, i, i + 1).reshape(blocks.shape.slice(1));
      // What the features before i and the context add to the units of feature i in each layer.
      const offsets = this.blocks.map((layer, l) => {
        const inputs = solvedInputs[l];
        const offset = layer.applyOffDiagonalTo(i, inputs.length > 0 ? concat(inputs, 1) : undefined);
        if (l > 0 || !this.fromContext) return offset;
        return offset.add(
          this.contextTerm(0, context).slice(
            1,
            i * layer.outputsPerFeature,
            (i + 1) * layer.outputsPerFeature,
          ),
        );
      });
      const layerInputs = (x: Tensor): Tensor[] => {
        const inputs = [x];
        for (let l = 0; l < last; l++) {
          inputs.push(inputs[l].matmul(this.blocks[l].diagonalBlock(i)).add(offsets[l]).tanh());
        }
        return inputs;
      };
      const map = (x: Tensor) => {
        const inputs = layerInputs(x);
        let derivative: Tensor | undefined;
        for (let l = 0; l < last; l++) {
          const tanhSlope = inputs[l + 1].square().neg().add(1);
          derivative = derivative
            ? derivative.matmul(blockOfFeature(normalizedBlocks[l])).mul(tanhSlope)
            : tanhSlope;
        }
        const f = inputs[last].matmul(blockOfFeature(outputWeights));
        return {
          value: x.add(ofFeature(gates).mul(f)).mul(ofFeature(logScales).exp()),
          logDerivative: ofFeature(gates)
            .mul(derivative!.matmul(blockOfFeature(normalizedBlocks[last])))
            .log1p()
            .add(ofFeature(logScales)),
        };
      };
      const { value, logDerivative } = solveIncreasing(map, ofFeature(z).sub(offsets[last]));
      layerInputs(value).forEach((input, l) => {
        solvedInputs[l].push(input);
      });
      logDerivatives.push(logDerivative);
    }
    return { value: concat(solvedInputs[0], 1), logDet: concat(logDerivatives, 1).sum(-1) };
  }

  /**
   * The gates g_i and log-scales s_i; the output weights w_ik / M_i; and for each layer the positive blocks, [D, I, O],
   * normalized such that the weights into a unit sum to 1: products of derivatives are then in [0, 1].
   */
  private positiveWeights() {
    const gates = this.gate.softClamp(LOG_BOUND).expm1();
    let logProduct: Tensor | undefined;
    const normalizedBlocks = this.blocks.map((layer) => {
      const logWeights = layer.logDiagonalBlocks();
      const logPaths = logProduct ? logWeights.add(logProduct) : logWeights;
      const logSum = logPaths.logsumexp(1, { keepAxes: true });
      logProduct = logSum.reshape([this.features, layer.outputsPerFeature, 1]);
      return logPaths.sub(logSum).exp();
    });
    const outputWeights = this.blocks[this.blocks.length - 1]
      .logDiagonalBlocks()
      .sub(logProduct!.reshape([this.features, 1, 1]))
      .exp();
    return { gates, logScales: this.logScale.softClamp(LOG_BOUND), normalizedBlocks, outputWeights };
  }

  /** The term that the context adds to the units of a layer: 0 except in the first layer. */
  private contextTerm(layer: number, context: Tensor | undefined): Tensor {
    if (layer > 0 || !this.fromContext) return scalar(0);
    requireColumns("context", context, this.context);
    return this.fromContext.apply(context!);
  }

  describe(): Description {
    return this.options;
  }
}

export const blockAutoregressiveKind: BijectionKind<typeof blockAutoregressiveSchema> = {
  schema: blockAutoregressiveSchema,
  build: ({ type: _, ...options }, random) => new BlockAutoregressive(options, random),
};
