import { grad } from "../graph/grad.ts";
import type { Parameter } from "../graph/parameter.ts";
import { type Masked, maskedParameters, substitute } from "../graph/passes/optimize.ts";
import type { Shape } from "../graph/shape.ts";
import type { Tensor } from "../graph/tensor.ts";
import { type Drawn, type Draws, type TracedTraining, traceTraining } from "../graph/tracing/drawn.ts";
import { compile, type Floats } from "../runtime/compile.ts";
import type { EngineOptions } from "../runtime/engineOptions.ts";
import { Team, teamSize, threadsInside } from "../runtime/team.ts";
import type { FlatParameters } from "./flatParameters.ts";

/** Fewer rows than these are not worth a thread of their own. */
const LEAST_SHARE = 32;

/** What is minimized: a sum over rows. */
export interface Loss {
  /** True if the rows are data, and not drawn: statistics may be taken of them. */
  readonly ofData?: boolean;
  /** Shapes of what the rows bring; the leading axis of the first is the batch. */
  readonly inputs: readonly Shape[];
  /** Scalars that are sums over the rows, the `loss` among them, in terms of the inputs and of any parameters. */
  trace(inputs: readonly Tensor[]): Readonly<Record<string, Tensor>>;
}

/** How a loss is computed. */
export interface Sharing {
  readonly withGradient: boolean;
  readonly threads: number;
  /** Rows that a thread takes at a time. */
  readonly share: number;
  /** Statistics that change between calls, read anew in each. */
  readonly running?: readonly Parameter[];
}

type Traced = Pick<TracedTraining<unknown>, "drawn" | "updates">;

/** The number of threads that a batch is shared among. */
export const sharesOf = (batch: number, { threads }: EngineOptions): number =>
  Math.max(1, Math.min(teamSize(threads), Math.floor(batch / LEAST_SHARE)));

/**
 * A loss, with or without its gradient by the flat parameters, on several threads. Each has a share of the rows; losses and
 * gradients are summed in the order of the shares, so results depend on the number of threads (by rounding) but not on
 * timing.
 */
export class SharedLoss {
  /** Rows that a thread takes at a time. */
  readonly share: number;
  private readonly team: Team;
  private readonly flat: FlatParameters;
  /** For each quantity the output that has its sum. */
  private readonly sums: readonly (readonly [name: string, output: string])[];
  private readonly withGradient: boolean;
  /** What is drawn anew in every call, and where among the inputs it is. */
  private readonly drawn: readonly Drawn[];
  private readonly firstDrawn: number;
  /** Running statistics that a call sets, in the order of the outputs for them. */
  private readonly updated: readonly Parameter[];

  private constructor(
    team: Team,
    flat: FlatParameters,
    { share, withGradient }: Sharing,
    traced: Traced,
    names: readonly string[],
  ) {
    this.team = team;
    this.flat = flat;
    this.share = share;
    this.withGradient = withGradient;
    this.drawn = traced.drawn;
    this.updated = [...traced.updates.keys()];
    this.firstDrawn = team.slots[0].inputs.length - this.drawn.length;
    this.sums = names.map((name, i) => [name, `sum${i}`]);
  }

  static async of(
    { inputs: own, trace, ofData }: Loss,
    parameters: ReadonlyMap<string, Parameter>,
    flat: FlatParameters,
    sharing: Sharing,
    options: EngineOptions,
  ): Promise<SharedLoss> {
    const { withGradient, threads, share, running = [] } = sharing;
    const shapes = [...own, ...flat.parcels.map(({ shape }) => shape), ...running.map(({ shape }) => shape)];
    const firstRunning = own.length + flat.parcels.length;
    const bound = {
      inputs: Object.fromEntries([
        ...flat.parcels.map(({ start, end }, i) => [
          `input${own.length + i}`,
          flat.published.subarray(start, end),
        ]),
        ...running.map(({ value }, i) => [`input${firstRunning + i}`, value]),
      ]),
      outputs: Object.fromEntries(
        flat.parcels.map(({ start, end }, i) => [
          `gradient${i}`,
          flat.parts.map((part) => part.subarray(start, end)),
        ]),
      ),
    };
    const trainable = [...parameters.values()];
    let training: Traced = { drawn: [], updates: new Map() };
    let sumNames: string[] = [];
    const program = (...inputs: Tensor[]) => {
      const rows = inputs.slice(0, own.length);
      const traced = traceTraining(() => trace(rows), { ofData, training: withGradient });
      const sums = traced.traced;
      training = traced;
      sumNames = Object.keys(sums);
      const unpacked = flat.unpack(inputs.slice(own.length, firstRunning));
      const hidden = hiddenParameters(Object.values(sums), unpacked);
      const packed = withGradient ? flat.pack(gradients(sums.loss, trainable, hidden)) : [];
      if (withGradient) for (const { parameter, mask } of hidden.values()) flat.hide(parameter, mask);
      const updates = [...training.updates.values()];
      const names = [
        ...sumNames.map((_, i) => `sum${i}`),
        ...packed.map((_, i) => `gradient${i}`),
        ...updates.map((_, i) => `update${i}`),
      ];
      const given = new Map<Tensor, Tensor>([
        ...unpacked,
        ...running.map((parameter, i): [Tensor, Tensor] => [parameter, inputs[firstRunning + i]]),
        ...[...hidden.values()].flatMap(({ parameter, products }) =>
          products.map((product): [Tensor, Tensor] => [product, unpacked.get(parameter)!]),
        ),
      ]);
      const outputs = substitute([...Object.values(sums), ...packed, ...updates], given);
      return Object.fromEntries(names.map((name, i) => [name, outputs[i]]));
    };
    const threadsOfOne = threadsInside(options.threads);
    const { providers } = options;
    const compileOptions = { providers, batch: share, threads: threadsOfOne, embedParameters: true };
    const compiled = compile(program, shapes, compileOptions, () =>
      training.drawn.map(({ tensor }) => tensor),
    );
    return new SharedLoss(await Team.of(compiled, threads, bound), flat, sharing, training, sumNames);
  }

  /** Rows that all threads together take at a time. */
  get rows(): number {
    return this.share * this.team.slots.length;
  }

  /**
   * The sums over `rows` rows, no more than there is room for: `fill` writes rows start to end - 1 into the inputs of a
   * thread, and fills up what is left of these; `draws` is where this call draws from. The gradient of the loss is in the
   * flat buffer.
   */
  async evaluate(
    rows: number,
    fill: (inputs: readonly Floats[], start: number, end: number) => void,
    draws: Draws,
  ): Promise<Readonly<Record<string, number>>> {
    const used = this.team.slots.slice(0, Math.ceil(rows / this.share));
    used.forEach(({ inputs }, i) => {
      const start = i * this.share;
      fill(inputs, start, Math.min(rows, start + this.share));
      this.drawn.forEach((each, k) => {
        each.fill({ ...draws, random: draws.random.split(k) }, inputs[this.firstDrawn + k], start);
      });
    });
    await this.team.run(used.length);
    if (this.withGradient) await this.flat.sumGradients(used.length);
    this.update(used[0].outputs);
    return Object.fromEntries(
      this.sums.map(([name, output]) => [
        name,
        used.reduce((sum, { outputs }) => sum + outputs[output][0], 0),
      ]),
    );
  }

  /** Sets running statistics; a batch that is not finite must not spoil them. */
  private update(outputs: Readonly<Record<string, Floats>>): void {
    const values = this.updated.map((_, i) => outputs[`update${i}`]);
    if (!values.every((numbers) => numbers.every(Number.isFinite))) return;
    this.updated.forEach((parameter, i) => {
      parameter.value.set(values[i]);
    });
  }

  release(): Promise<void> {
    return this.team.release();
  }
}

type Hidden = ReadonlyMap<Parameter, Masked>;

/** Parameters that are 0 wherever their mask is: they need no product with it, and stay so if their gradient is 0 there too. */
const hiddenParameters = (
  outputs: readonly Tensor[],
  parameters: { has(parameter: Parameter): boolean },
): Hidden =>
  new Map(
    maskedParameters(outputs)
      .filter(({ parameter, mask }) => {
        const hides = parameter.numbers.every((value, i) => value === 0 || mask[i] === 1);
        return hides && parameters.has(parameter);
      })
      .map((masked) => [masked.parameter, masked]),
  );

/** Gradients by the parameters, those of the hidden ones without their masks. */
function gradients(loss: Tensor, parameters: readonly Parameter[], hidden: Hidden): Map<Parameter, Tensor> {
  const sources = parameters.map((parameter) => hidden.get(parameter)?.products ?? [parameter]);
  const all = grad(loss, sources.flat());
  return new Map(
    parameters.map((parameter, i) => {
      const own = all.splice(0, sources[i].length);
      return [parameter, own.reduce((sum, gradient) => sum.add(gradient))];
    }),
  );
}
