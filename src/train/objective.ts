import type { Flow } from "../flows/flow.ts";
import { grad } from "../graph/grad.ts";
import type { Parameter } from "../graph/parameter.ts";
import type { Shape } from "../graph/shape.ts";
import type { Tensor } from "../graph/tensor.ts";
import { type CompileOptions, compile, type Floats } from "../runtime/compile.ts";
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
    const shapes: Shape[] = [["N", flow.features], ["N"], ...(conditional ? [["N", flow.context] as Shape] : [])];
    const loss = (x: Tensor, weights: Tensor, context?: Tensor) =>
      flow.logDensity(x, context).mul(weights).sum().neg();
    const names = [...parameters.keys()];
    const parameterNames = new Map([...parameters].map(([name, parameter]) => [parameter, name]));
    const threads = Math.max(1, Math.min(teamSize(options.threads), Math.floor(rows.batch / LEAST_SHARE)));
    const compileOptions = (batch: number): CompileOptions => ({
      ...options,
      batch,
      parameterNames,
      threads: threadsInside(options.threads),
    });
    const gradients = compile(
      (x, weights, context) => {
        const value = loss(x, weights, context);
        const gradients = grad(value, [...parameters.values()]);
        return { loss: value, ...Object.fromEntries(gradients.map((g, i) => [`gradient/${names[i]}`, g])) };
      },
      shapes,
      compileOptions(Math.ceil(rows.batch / threads)),
    );
    const losses = compile(
      (x, weights, context) => ({ loss: loss(x, weights, context) }),
      shapes,
      compileOptions(Math.min(CHUNK, Math.ceil(rows.validation / threads))),
    );
    const views = Object.entries(flat.gradientViews).map(([name, view]) => [`gradient/${name}`, view]);
    return new Objective(
      await Team.of(gradients, threads, { loss: new Float32Array(1), ...Object.fromEntries(views) }),
      await Team.of(losses, threads),
      flat,
    );
  }

  /** Loss of a batch, and its gradient in the flat buffer. */
  async lossAndGradient(rows: TrainingRows, indices: Int32Array): Promise<number> {
    const shares = await turn(this.gradients, rows, indices, totalWeight(rows, indices) || 1);
    for (const { outputs } of shares.slice(1)) this.flat.addGradient(outputs);
    return sumOfLosses(shares);
  }

  /** Weighted mean log-density over all rows, in nats. */
  async meanLogDensity(rows: TrainingRows): Promise<number> {
    const all = Int32Array.from({ length: rows.rows }, (_, i) => i);
    const total = totalWeight(rows, all);
    const { slots } = this.losses;
    const step = slots.length * slots[0].inputs[1].length;
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
  const share = team.slots[0].inputs[1].length;
  const used = team.slots.slice(0, Math.ceil(indices.length / share));
  used.forEach(({ inputs }, i) => {
    fill(inputs, rows, indices.subarray(i * share, (i + 1) * share), totalWeight);
  });
  await team.run(used.length);
  return used;
}

/** Copies the chosen rows into a share; what is left of it repeats the first with weight 0. */
function fill(inputs: readonly Floats[], rows: TrainingRows, indices: Int32Array, totalWeight: number): void {
  const [values, weights, context] = inputs;
  const size = weights.length;
  for (let i = 0; i < size; i++)
    weights[i] = i < indices.length ? rows.weights[indices[i]] / totalWeight : 0;
  const copy = (target: Floats, source: Float64Array) => {
    const width = target.length / size;
    for (let i = 0; i < size; i++) {
      const from = (i < indices.length ? indices[i] : indices[0]) * width;
      for (let c = 0; c < width; c++) target[i * width + c] = source[from + c];
    }
  };
  copy(values, rows.values);
  if (context) copy(context, rows.context);
}

function totalWeight(rows: TrainingRows, indices: Int32Array): number {
  let total = 0;
  for (let i = 0; i < indices.length; i++) total += rows.weights[indices[i]];
  return total;
}

const sumOfLosses = (slots: Team["slots"]): number =>
  slots.reduce((total, { outputs }) => total + outputs.loss[0], 0);
