import * as z from "zod/mini";
import { countSchema, MAX_LAYERS, sizeSchema } from "../description.ts";
import { Parameter } from "../graph/parameter.ts";
import { concat, scalar, type Tensor } from "../graph/tensor.ts";
import { scoped } from "../graph/tracing/scope.ts";
import { BlockLinear } from "../nn/blockLinear.ts";
import { Linear } from "../nn/linear.ts";
import { solveIncreasing } from "../numerics/solve.ts";
import { parse } from "../parse.ts";
import type { Random } from "../random/index.ts";
import type { Bijection, BijectionKind, Description, Transformed } from "./bijection.ts";

const LOG_BOUND = Math.log(1000);

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
  context?: number;
  /** Units of each feature in a hidden layer. Default 8. */
  units?: number;
  /** Hidden layers. Default 2. */
  layers?: number;
}

/**
 * Block neural autoregressive flow (De Cao et al. 2019): one network is the whole map. Its layers are made of blocks, one
 * for each pair of features; those from later to earlier features are 0, those on the diagonal positive, the rest free, and
 * activations are tanh, so that output i increases in x_i and sees the features before it. With h the last hidden layer,
 *
 *     z_i = exp(s_i) (x_i + g_i f_i) + t_i,  f_i = sum_k w_ik h_ik / M_i,  t_i = a linear map of the h_jk with j < i.
 *
 * M_i is the product of the positive blocks between x_i and f_i, which bounds the slope: df_i/dx_i is in (0, 1]. This is the
 * gated residual connection of the paper with the gate g_i = exp(r_i) - 1 in (-1, infinity): for a positive g a mixture of
 * network and identity up to scale. Without it tanh would bound z; with it the map is onto, slopes of x + g f lie between
 * 1 and 1 + g (within 1/1000 and 1000), and g = 0 with t = 0 is the identity at its start.
 *
 * The density costs one pass, with products of blocks for the derivative, which cannot overflow or vanish: they are means
 * of numbers in [0, 1]. Sampling solves for one feature after the other; each step evaluates the blocks of its feature.
 */
export class BlockAutoregressive implements Bijection {
  readonly features: number;
  readonly context: number;
  readonly blocks: readonly BlockLinear[];
  readonly gate: Parameter;
  readonly logScale: Parameter;
  /** From the context to the first hidden layer. */
  readonly fromContext: Linear | undefined;
  private readonly options: z.output<typeof blockAutoregressiveSchema>;

  /** Throws `ARGUMENT` if the options do not fit. */
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
    const { gates, logScales, shares, output } = this.positive();
    let h = x;
    // Derivative of each unit by the feature of its block, relative to the product of the weights on the way.
    let slope: Tensor | undefined;
    this.blocks.slice(0, -1).forEach((layer, i) => {
      h = scoped(`layers.${i}`, () => layer.apply(h).add(this.given(i, context))).tanh();
      const flat = h.square().neg().add(1).reshape(["N", D, 1, layer.outputs]);
      slope = slope ? slope.matmul(shares[i]).mul(flat) : flat;
    });
    const last = this.blocks.length - 1;
    const own = h.reshape(["N", D, 1, this.options.units]);
    const bent = own.matmul(output).reshape(["N", D]);
    const derivative = slope!.matmul(shares[last]).reshape(["N", D]);
    return {
      value: x.add(gates.mul(bent)).mul(logScales.exp()).add(this.blocks[last].shift(h)),
      logDet: gates.mul(derivative).log1p().add(logScales).sum(-1),
    };
  }

  forward(z: Tensor, context?: Tensor): Transformed {
    const last = this.blocks.length - 1;
    const { gates, logScales, shares, output } = this.positive();
    /** What each layer takes in, of the features that are known. */
    const known: Tensor[][] = this.blocks.map(() => []);
    const logDerivatives: Tensor[] = [];
    for (let i = 0; i < this.features; i++) {
      const feature = (t: Tensor) => t.slice(t.rank - 1, i, i + 1);
      const bases = this.blocks.map((layer, l) => {
        const base = layer.owed(i, known[l].length > 0 ? concat(known[l], 1) : undefined);
        if (l > 0 || !this.fromContext) return base;
        return base.add(this.given(0, context).slice(1, i * layer.outputs, (i + 1) * layer.outputs));
      });
      const hidden = (x: Tensor): Tensor[] => {
        const all = [x];
        for (let l = 0; l < last; l++) {
          all.push(all[l].matmul(this.blocks[l].block(i)).add(bases[l]).tanh());
        }
        return all;
      };
      const own = (all: Tensor) => all.slice(0, i, i + 1).reshape(all.shape.slice(1));
      const map = (x: Tensor) => {
        const all = hidden(x);
        let slope: Tensor | undefined;
        for (let l = 0; l < last; l++) {
          const flat = all[l + 1].square().neg().add(1);
          slope = slope ? slope.matmul(own(shares[l])).mul(flat) : flat;
        }
        const bent = all[last].matmul(own(output));
        return {
          value: x.add(feature(gates).mul(bent)).mul(feature(logScales).exp()),
          logDerivative: feature(gates)
            .mul(slope!.matmul(own(shares[last])))
            .log1p()
            .add(feature(logScales)),
        };
      };
      const { value, logDerivative } = solveIncreasing(map, feature(z).sub(bases[last]));
      hidden(value).forEach((h, l) => {
        known[l].push(h);
      });
      logDerivatives.push(logDerivative);
    }
    return { value: concat(known[0], 1), logDet: concat(logDerivatives, 1).sum(-1) };
  }

  /**
   * Gates and scales; for each layer, what share of a unit's slope comes through each weight of its block, [D, I, O]; and
   * the weights w_ik / M_i.
   */
  private positive() {
    const gates = this.gate.softClamp(LOG_BOUND).expm1();
    let logGain: Tensor | undefined;
    const shares = this.blocks.map((layer) => {
      const logWeights = layer.logBlocks();
      const paths = logGain ? logWeights.add(logGain) : logWeights;
      const gain = paths.logsumexp(1, { keepAxes: true });
      logGain = gain.reshape([this.features, layer.outputs, 1]);
      return paths.sub(gain).exp();
    });
    const output = this.blocks[this.blocks.length - 1]
      .logBlocks()
      .sub(logGain!.reshape([this.features, 1, 1]))
      .exp();
    return { gates, logScales: this.logScale.softClamp(LOG_BOUND), shares, output };
  }

  private given(layer: number, context: Tensor | undefined): Tensor {
    return layer === 0 && this.fromContext ? this.fromContext.apply(context!) : scalar(0);
  }

  describe(): Description {
    return this.options;
  }
}

export const blockAutoregressiveKind: BijectionKind<typeof blockAutoregressiveSchema> = {
  schema: blockAutoregressiveSchema,
  build: ({ type: _, ...options }, random) => new BlockAutoregressive(options, random),
};
