import { z } from "zod";
import { Parameter } from "../graph/parameter.ts";
import { scoped } from "../graph/scope.ts";
import { solveIncreasing } from "../graph/solve.ts";
import { concat, constant, scalar, type Tensor } from "../graph/tensor.ts";
import { Linear } from "../nn/linear.ts";
import { parse } from "../parse.ts";
import type { Random } from "../random/index.ts";
import type { Bijection, BijectionKind, Description, Transformed } from "./bijection.ts";

const LOG_BOUND = Math.log(1000);

const blockAutoregressiveSchema = z.strictObject({
  type: z.literal("blockAutoregressive"),
  features: z.int().positive(),
  context: z.int().nonnegative().default(0),
  /** Units of each feature in a hidden layer. */
  units: z.int().positive().default(8),
  /** Hidden layers. */
  layers: z.int().positive().default(2),
});

export type BlockAutoregressiveOptions = Omit<z.input<typeof blockAutoregressiveSchema>, "type">;

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
  readonly layers: readonly Blocks[];
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
    this.layers = sizes
      .slice(1)
      .map((size, i) => new Blocks(features, sizes[i], size, random.split(i), { last: i === layers }));
    if (context > 0) this.fromContext = new Linear(context, features * units, random.split("context"));
    this.gate = new Parameter([features], new Float32Array(features));
    this.logScale = new Parameter([features], new Float32Array(features));
  }

  inverse(x: Tensor, context?: Tensor): Transformed {
    const D = this.features;
    const { gates, logScales, shares, output } = this.positive();
    let h = x;
    // Derivative of each unit by the feature of its block, relative to the product of the weights on the way.
    let slope: Tensor | undefined;
    this.layers.slice(0, -1).forEach((layer, i) => {
      h = scoped(`layers.${i}`, () => layer.apply(h).add(this.given(i, context))).tanh();
      const flat = h.square().neg().add(1).reshape(["N", D, 1, layer.outputs]);
      slope = slope ? slope.matmul(shares[i]).mul(flat) : flat;
    });
    const last = this.layers.length - 1;
    const own = h.reshape(["N", D, 1, this.options.units]);
    const bent = own.matmul(output).reshape(["N", D]);
    const derivative = slope!.matmul(shares[last]).reshape(["N", D]);
    return {
      value: x.add(gates.mul(bent)).mul(logScales.exp()).add(this.layers[last].shift(h)),
      logDet: gates.mul(derivative).log1p().add(logScales).sum(-1),
    };
  }

  forward(z: Tensor, context?: Tensor): Transformed {
    const last = this.layers.length - 1;
    const { gates, logScales, shares, output } = this.positive();
    /** What each layer takes in, of the features that are known. */
    const known: Tensor[][] = this.layers.map(() => []);
    const logDerivatives: Tensor[] = [];
    for (let i = 0; i < this.features; i++) {
      const feature = (t: Tensor) => t.slice(t.rank - 1, i, i + 1);
      const bases = this.layers.map((layer, l) => {
        const base = layer.owed(i, known[l].length > 0 ? concat(known[l], 1) : undefined);
        if (l > 0 || !this.fromContext) return base;
        return base.add(this.given(0, context).slice(1, i * layer.outputs, (i + 1) * layer.outputs));
      });
      const hidden = (x: Tensor): Tensor[] => {
        const all = [x];
        for (let l = 0; l < last; l++) {
          all.push(all[l].matmul(this.layers[l].block(i)).add(bases[l]).tanh());
        }
        return all;
      };
      const block = (blocks: Tensor) => blocks.slice(0, i, i + 1).reshape(blocks.shape.slice(1));
      const map = (x: Tensor) => {
        const all = hidden(x);
        let slope: Tensor | undefined;
        for (let l = 0; l < last; l++) {
          const flat = all[l + 1].square().neg().add(1);
          slope = slope ? slope.matmul(block(shares[l])).mul(flat) : flat;
        }
        const bent = all[last].matmul(block(output));
        return {
          value: x.add(feature(gates).mul(bent)).mul(feature(logScales).exp()),
          logDerivative: feature(gates)
            .mul(slope!.matmul(block(shares[last])))
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
    const shares = this.layers.map((layer) => {
      const logWeights = layer.logBlocks();
      const paths = logGain ? logWeights.add(logGain) : logWeights;
      const gain = paths.logsumexp(1, { keepAxes: true });
      logGain = gain.reshape([this.features, layer.outputs, 1]);
      return paths.sub(gain).exp();
    });
    const output = this.layers[this.layers.length - 1]
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

/** A layer of D by D blocks of I inputs and O outputs, with features one after the other. */
class Blocks {
  readonly inputs: number;
  readonly outputs: number;
  /** [D I, D O]: above the diagonal blocks weights, in these the logarithms of weights. */
  readonly weight: Parameter;
  /** [D O] */
  readonly bias: Parameter;
  private readonly features: number;

  constructor(
    features: number,
    inputs: number,
    outputs: number,
    random: Random,
    { last }: { last: boolean },
  ) {
    this.features = features;
    this.inputs = inputs;
    this.outputs = outputs;
    const uniform = (name: string, size: number) =>
      random
        .split(name)
        .uniform(new Float32Array(size))
        .map((u) => 2 * u - 1);
    const columns = features * outputs;
    const weight = uniform("weight", features * inputs * columns).map((u, k) => {
      const [from, to] = [Math.floor(k / columns / inputs), Math.floor((k % columns) / outputs)];
      // The means of a block's inputs: sums of many would saturate the next layer.
      if (from === to) return u - Math.log(inputs);
      return last ? 0 : u / Math.sqrt(features * inputs);
    });
    this.weight = new Parameter([features * inputs, columns], weight);
    this.bias = new Parameter([columns], last ? new Float32Array(columns) : uniform("bias", columns));
  }

  /** [N, D I] -> [N, D O], before the activation. */
  apply(h: Tensor): Tensor {
    const positive = this.weight.softClamp(LOG_BOUND).exp();
    return h.affine(this.free().add(positive.mul(this.mask((from, to) => from === to))), this.bias);
  }

  /** What outputs owe to the features before their own, [N, D I] -> [N, D O]. */
  shift(h: Tensor): Tensor {
    return h.affine(this.free(), this.bias);
  }

  /** The same for feature i alone, from the inputs of the features before it: [N, i I] -> [N, O]. */
  owed(i: number, known: Tensor | undefined): Tensor {
    const [start, end] = [i * this.outputs, (i + 1) * this.outputs];
    const bias = this.bias.slice(0, start, end);
    return known ? known.affine(this.weight.slice(0, 0, i * this.inputs).slice(1, start, end), bias) : bias;
  }

  /** The positive weights of feature i, [I, O]. */
  block(i: number): Tensor {
    return this.weight
      .slice(0, i * this.inputs, (i + 1) * this.inputs)
      .slice(1, i * this.outputs, (i + 1) * this.outputs)
      .softClamp(LOG_BOUND)
      .exp();
  }

  /** Logarithms of the positive weights of all features, [D, I, O]. */
  logBlocks(): Tensor {
    const { features, inputs, outputs } = this;
    return this.weight
      .reshape([features, inputs, features, outputs])
      .transpose([0, 2, 1, 3])
      .reshape([features * features, inputs, outputs])
      .gather(
        0,
        Array.from({ length: features }, (_, i) => i * (features + 1)),
      )
      .softClamp(LOG_BOUND);
  }

  private free(): Tensor {
    return this.weight.mul(this.mask((from, to) => from < to));
  }

  private mask(keep: (from: number, to: number) => boolean): Tensor {
    const [rows, columns] = this.weight.sizes;
    const values = Array.from({ length: rows * columns }, (_, k) =>
      keep(Math.floor(k / columns / this.inputs), Math.floor((k % columns) / this.outputs)) ? 1 : 0,
    );
    return constant(values, [rows, columns]);
  }
}

export const blockAutoregressiveKind: BijectionKind<typeof blockAutoregressiveSchema> = {
  schema: blockAutoregressiveSchema,
  about: {
    name: "block neural autoregressive flow",
    formula: "z_i = exp(s_i) (x_i + g_i f_i(x_1 ... x_i)) + t_i(x_1 ... x_i-1)",
    paper: "De Cao et al. 2019",
    density: "closed form",
    sampling: "root finding",
  },
  build: ({ type: _, ...options }, random) => new BlockAutoregressive(options, random),
  examples: (features) => [
    { type: "blockAutoregressive", features, units: 3, layers: 2 },
    { type: "blockAutoregressive", features, units: 4, layers: 1, context: 2 },
  ],
};
