import * as z from "zod/mini";
import { checkOptions, parse, trueOrFalse } from "../check/index.ts";
import { concat, scoped, type Tensor } from "../graph/index.ts";
import { MAX_LAYERS, sizeSchema } from "../parts/index.ts";
import { Random } from "../random/index.ts";
import { type Activation, activate, activationSchema } from "./activation.ts";
import { type Linear, linearLayers } from "./linear.ts";

export const networkSchema = z
  .strictObject({
    hidden: z._default(z.array(sizeSchema).check(z.maxLength(MAX_LAYERS)), [64, 64]),
    activation: z._default(activationSchema, "relu"),
    residual: z._default(z.boolean(), false),
  })
  .check(
    z.refine(({ hidden, residual }) => !residual || hidden.every((size) => size === hidden[0]), {
      path: ["hidden"],
      error: "equal widths, since the output of a residual block is added to its input",
    }),
  );

/** Options of a network, such as a conditioner. */
export interface NetworkOptions {
  /** Widths of the hidden layers; with `residual`, all equal. Default [64, 64]. */
  hidden?: number[] | undefined;
  /** Activation between the layers. Default `relu`, in continuous flows `silu`. */
  activation?: Activation | undefined;
  /**
   * Pre-activation residual blocks of two layers (He et al. 2016). Their number is half the number of hidden layers, rounded up.
   * Default false.
   */
  residual?: boolean | undefined;
}
/** `NetworkOptions` with the defaults filled in. */
export type NetworkDescription = Required<NetworkOptions>;

/**
 * Multilayer perceptron [N, inputs], [N, context] -> [N, outputs]. By default the last layer starts at 0 (`zeroInit`), so that a
 * transform with these parameters starts as the identity.
 *
 * With `residual` it is the residual network of He et al. (2016, "Identity mappings in deep residual networks"):
 * v <- v + W2 a(W1 a(v)).
 */
export class MLP {
  readonly layers: readonly Linear[];
  readonly options: NetworkDescription;

  /**
   * `context` is C, by default 0. `random` draws the initial weights, by default with the seed 0. `zeroInit` is true by default: the last
   * layer starts at 0. Throws `ARGUMENT` if the options are not valid, such as unequal widths with `residual`.
   */
  constructor(
    inputs: number,
    outputs: number,
    options: NetworkOptions = {},
    random: Random = new Random(0),
    context = 0,
    settings: { zeroInit?: boolean } = {},
  ) {
    checkOptions("new MLP", settings, { zeroInit: trueOrFalse });
    const { zeroInit = true } = settings;
    this.options = parse(networkSchema, options, "an option of new MLP");
    const sizes = [inputs + context, ...hiddenSizes(this.options), outputs];
    this.layers = linearLayers(sizes, random, zeroInit);
  }

  /** The same network with its layers replaced. */
  with(change: (layer: Linear, index: number) => Pick<Linear, "apply">): Pick<MLP, "apply"> {
    return Object.assign(Object.create(MLP.prototype), this, { layers: this.layers.map(change) });
  }

  /** [N, inputs], [N, context] -> [N, outputs]. Throws `SHAPE` if x and the context together have another number of columns. */
  apply(x: Tensor, context?: Tensor): Tensor {
    const input = context ? concat([x, context], 1) : x;
    const [output] = throughLayers(this.options, this.layers.length, [input], (i, [h]) =>
      scoped(`layers.${i}`, () => [this.layers[i].apply(h)]),
    );
    return output;
  }
}

/** Sizes of all hidden layers: with residual blocks, one layer and then two for each block. */
export function hiddenSizes({ hidden, residual }: NetworkDescription): number[] {
  if (!residual || hidden.length === 0) return hidden;
  return [hidden[0], ...new Array(2 * Math.ceil(hidden.length / 2)).fill(hidden[0])];
}

/** Applies the layers of a plain or masked network, with activations and residual blocks. A layer has one tensor per group of units. */
export function throughLayers(
  { residual, activation }: NetworkDescription,
  count: number,
  input: readonly Tensor[],
  applyLayer: (index: number, groups: readonly Tensor[]) => readonly Tensor[],
): readonly Tensor[] {
  const activated = (groups: readonly Tensor[]) => groups.map((h) => activate(activation, h));
  let groups = applyLayer(0, input);
  for (let i = 1; i < count; i++) {
    const isLast = i === count - 1;
    if (!residual || isLast) groups = applyLayer(i, activated(groups));
    else {
      const inner = applyLayer(i, activated(groups));
      i++;
      const change = applyLayer(i, activated(inner));
      groups = groups.map((h, g) => h.add(change[g]));
    }
  }
  return groups;
}
