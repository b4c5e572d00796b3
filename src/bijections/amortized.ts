import * as z from "zod/mini";
import { countSchema } from "../description.ts";
import { Parameter, WEIGHT } from "../graph/parameter.ts";
import type { Tensor } from "../graph/tensor.ts";
import { MLP, networkSchema } from "../nn/mlp.ts";
import type { Random } from "../random/index.ts";

/** Fields of the schema of a bijection whose parameters may depend on a context. */
export const amortizedFields = {
  /** Number of context features; 0 for parameters that are the same for all rows. */
  context: z._default(countSchema, 0),
  /** Of a conditional map alone. */
  network: z.prefault(networkSchema, {}),
};

/** Where the parameters start: their shapes, and their numbers if not zeros. */
export type Starts = Readonly<Record<string, { shape: readonly number[]; values?: () => ArrayLike<number> }>>;

/**
 * Named parameters that are the same for all rows, or the sum of such and of what a network makes of the context, which
 * starts at zero: amortized flows, as in the inference network of Rezende and Mohamed (2015).
 */
export class Amortized {
  readonly base: Readonly<Record<string, Parameter>>;
  readonly network: MLP | undefined;

  constructor(
    starts: Starts,
    { context, network }: z.output<z.ZodMiniObject<typeof amortizedFields>>,
    random: Random,
  ) {
    this.base = Object.fromEntries(
      Object.entries(starts).map(([name, { shape, values }]) => [
        name,
        new Parameter(shape, values ?? 0, { domain: WEIGHT }),
      ]),
    );
    const outputs = Object.values(this.base).reduce((total, { numbers }) => total + numbers.length, 0);
    this.network = context > 0 ? new MLP(0, outputs, network, random.split("network"), context) : undefined;
  }

  /** Each parameter with its own shape, or with one set for each row: [N, ...shape]. */
  given(context?: Tensor): Record<string, Tensor> {
    if (!this.network) return { ...this.base };
    const entries = Object.entries(this.base);
    const parts = this.network.apply(context as Tensor).split(
      1,
      entries.map(([, { value }]) => value.length),
    );
    return Object.fromEntries(
      entries.map(([name, parameter], i) => [
        name,
        parts[i].reshape(["N", ...parameter.sizes]).add(parameter),
      ]),
    );
  }
}
