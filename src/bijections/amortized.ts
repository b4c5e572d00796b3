import * as z from "zod/mini";
import { Parameter, type Tensor, WEIGHT } from "../graph/index.ts";
import { MLP, networkSchema, requireColumns } from "../nn/index.ts";
import { countSchema } from "../parts/index.ts";
import type { Random } from "../random/index.ts";

/** Schema fields that bijections with context-dependent parameters have in common. */
export const amortizedFields = {
  /** C, the number of context features; 0 if all rows share the parameters. */
  context: z._default(countSchema, 0),
  /** Maps the context to parameters; used if C > 0. */
  network: z.prefault(networkSchema, {}),
};

/** The shapes of parameters, and their initial values (zeros if absent). */
type ParameterSpecs = Readonly<
  Record<string, { shape: readonly number[]; values?: () => ArrayLike<number> }>
>;

/**
 * Named parameters of a bijection. Without a context all rows share them. With a context a network, whose output starts at
 * 0, adds an offset for each row: an amortized flow, as in the inference network of Rezende and Mohamed (2015).
 */
export class AmortizedParameters {
  readonly base: Readonly<Record<string, Parameter>>;
  readonly network: MLP | undefined;

  constructor(
    specs: ParameterSpecs,
    { context, network }: z.output<z.ZodMiniObject<typeof amortizedFields>>,
    random: Random,
  ) {
    this.base = Object.fromEntries(
      Object.entries(specs).map(([name, { shape, values }]) => [
        name,
        new Parameter(shape, values ?? 0, { domain: WEIGHT }),
      ]),
    );
    const outputs = Object.values(this.base).reduce((total, { numbers }) => total + numbers.length, 0);
    this.network = context > 0 ? new MLP(0, outputs, network, random.split("network"), context) : undefined;
  }

  /** The parameters by name, each with its shape, or with [N, ...shape] if it depends on the context. Throws `SHAPE` if that is missing. */
  forContext(context?: Tensor): Record<string, Tensor> {
    if (!this.network) return { ...this.base };
    requireColumns("context", context, this.network.layers[0].weight.sizes[0]);
    const entries = Object.entries(this.base);
    const offsets = this.network.apply(context!).split(
      1,
      entries.map(([, { numbers }]) => numbers.length),
    );
    return Object.fromEntries(
      entries.map(([name, parameter], i) => [
        name,
        offsets[i].reshape(["N", ...parameter.sizes]).add(parameter),
      ]),
    );
  }
}
