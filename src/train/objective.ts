import type { Flow } from "../flows/flow.ts";
import { grad } from "../graph/grad.ts";
import { substitute } from "../graph/optimize.ts";
import type { Parameter } from "../graph/parameter.ts";
import type { Shape } from "../graph/shape.ts";
import type { Tensor } from "../graph/tensor.ts";
import { compile, type Floats } from "../runtime/compile.ts";
import type { EngineOptions } from "../runtime/engine.ts";
import { Team, teamSize, threadsInside } from "../runtime/team.ts";
import type { FlatParameters } from "./flatParameters.ts";
import type { TrainingRows } from "./rows.ts";

/** Fewer rows than these are not worth a thread of their own. */
const LEAST_SHARE = 32;
/** Rows of a validation chunk: enough for large products, small enough for a core's cache. */
const CHUNK = 1024;

/**
 * The training step's graph: minus the weighted mean log-density of a batch, with its gradients. Threads have a share of the
 * batch each, of equal size; their gradients are summed in the order of the shares, so results depend on the number of
 * threads (by rounding) but not on timing.
 */
export class Objective {
  private readonly gradients: Team;
  private readonly losses: Team;
  private readonly flat: FlatParameters;

  private constructor(gradients: Team, losses: Team, flat: FlatParameters) {
    this.gradients = gradients;
    this.losses = losses;
    this.flat = flat;
  }

  /** Takes the rows of a batch, and how many rows there are to validate. */
  static async of(
    flow: Flow,
    parameters: ReadonlyMap<string, Parameter>,
    flat: FlatParameters,
    rows: { batch: number; validation: number },
    options: EngineOptions,
  ): Promise<Objective> {
    const conditional = flow.context > 0;
    const shapes: Shape[] = [
      ["N"],
      ["N", flow.features],
      ...(conditional ? [["N", flow.context] as Shape] : []),
      ...flat.parcels.map(({ shape }) => shape),
    ];
    const bound = Object.fromEntries(
      flat.parcels.flatMap(({ start, end }, i) => [
        [`input${shapes.length - flat.parcels.length + i}`, flat.values.subarray(start, end)],
        [`gradient${i}`, flat.gradient.subarray(start, end)],
      ]),
    );
    const trainable = [...parameters.values()];
    const trace = (withGradient: boolean, inputs: readonly Tensor[]) => {
      const [weights, x, ...rest] = inputs;
      const parcels = rest.slice(conditional ? 1 : 0);
      const loss = flow
        .logDensity(x, conditional ? rest[0] : undefined)
        .mul(weights)
        .sum()
        .neg();
      const gradients = withGradient ? grad(loss, trainable) : [];
      const packed = withGradient ? flat.pack(new Map(trainable.map((p, i) => [p, gradients[i]]))) : [];
      const [value, ...outputs] = substitute([loss, ...packed], flat.unpack(parcels));
      return { loss: value, ...Object.fromEntries(outputs.map((tensor, i) => [`gradient${i}`, tensor])) };
    };
    const threads = Math.max(1, Math.min(teamSize(options.threads), Math.floor(rows.batch / LEAST_SHARE)));
    const team = (withGradient: boolean, batch: number) => {
      const threadsOfOne = threadsInside(options.threads);
      const compileOptions = { ...options, batch, threads: threadsOfOne, embedParameters: true };
      const compiled = compile((...inputs) => trace(withGradient, inputs), shapes, compileOptions);
      return Team.of(compiled, threads, bound);
    };
    return new Objective(
      await team(true, Math.ceil(rows.batch / threads)),
      await team(false, Math.min(CHUNK, Math.ceil(rows.validation / threads))),
      flat,
    );
  }

  /** Loss of a batch, and its gradient in the flat buffer. */
  async lossAndGradient(rows: TrainingRows, indices: Int32Array): Promise<number> {
    const shares = await turn(this.gradients, rows, indices, totalWeight(rows, indices) || 1);
    for (const { outputs } of shares.slice(1))
      this.flat.addGradient(this.flat.parcels.map((_, i) => outputs[`gradient${i}`]));
    return sumOfLosses(shares);
  }

  /** Weighted mean log-density over all rows, in nats. */
  async meanLogDensity(rows: TrainingRows): Promise<number> {
    const all = Int32Array.from({ length: rows.rows }, (_, i) => i);
    const total = totalWeight(rows, all);
    const { slots } = this.losses;
    const step = slots.length * slots[0].inputs[0].length;
    let sum = 0;
    for (let start = 0; start < rows.rows; start += step)
      sum -= sumOfLosses(await turn(this.losses, rows, all.subarray(start, start + step), total));
    return sum;
  }

  async release(): Promise<void> {
    await this.gradients.release();
    await this.losses.release();
  }
}

/** One turn of a team over the chosen rows; gives the slots that had some. */
async function turn(team: Team, rows: TrainingRows, indices: Int32Array, totalWeight: number) {
  const share = team.slots[0].inputs[0].length;
  const used = team.slots.slice(0, Math.ceil(indices.length / share));
  used.forEach(({ inputs }, i) => {
    fill(inputs, rows, indices.subarray(i * share, (i + 1) * share), totalWeight);
  });
  await team.run(used.length);
  return used;
}

/** Copies the chosen rows into a share; what is left of it repeats the first with weight 0. */
function fill(inputs: readonly Floats[], rows: TrainingRows, indices: Int32Array, totalWeight: number): void {
  const [weights, values, context] = inputs;
  const size = weights.length;
  for (let i = 0; i < size; i++) weights[i] = i < indices.length ? rows.weights[indices[i]] / totalWeight : 0;
  const copy = (target: Floats, source: Float64Array) => {
    const width = target.length / size;
    for (let i = 0; i < size; i++) {
      const from = (i < indices.length ? indices[i] : indices[0]) * width;
      for (let c = 0; c < width; c++) target[i * width + c] = source[from + c];
    }
  };
  copy(values, rows.values);
  if (rows.context.length > 0) copy(context, rows.context);
}

function totalWeight(rows: TrainingRows, indices: Int32Array): number {
  let total = 0;
  for (let i = 0; i < indices.length; i++) total += rows.weights[indices[i]];
  return total;
}

const sumOfLosses = (slots: Team["slots"]): number =>
  slots.reduce((total, { outputs }) => total + outputs.loss[0], 0);
