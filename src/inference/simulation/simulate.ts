import {
  abortSignal,
  brief,
  checkOptions,
  isPlainObject,
  type OptionRule,
  PushforwardError,
  seedValue,
} from "../../check/index.ts";
import { concatRows } from "../../dataset/index.ts";
import { sizeOf } from "../../graph/index.ts";
import { Random, RandomStream } from "../../random/index.ts";
import { describePoint } from "../describePoint.ts";
import { constrainedDraws } from "../draws.ts";
import { throwIfAborted } from "../interruption.ts";
import type { Priors, SimulatedParameters, Simulator } from "./simulator.ts";

/** Simulated data, with the parameters that they were simulated for. */
export interface Simulations {
  /** n, the number of simulations. */
  readonly count: number;
  /** `[n, D]`: the coordinates of the parameters, which are standard normal under the prior. */
  readonly coordinates: Float64Array;
  /** K, the number of values of a simulation. */
  readonly width: number;
  /** `[n, K]`: the data. */
  readonly data: Float64Array;
  /**
   * How many simulations returned NaN or infinite values and were left out. The posterior given finite data does not depend on them, but the
   * likelihood does.
   */
  readonly invalid: number;
}

/** The rule of an option that is a result of `simulate`, or a number of simulations, which `simulateFromPrior` checks. */
export const simulationsRule: OptionRule = {
  expected: "a number of simulations, or a result of simulate",
  accepts: (value) =>
    typeof value === "number" ||
    (isPlainObject(value) &&
      [value.coordinates, value.data].every((numbers) => numbers instanceof Float64Array)),
};

/**
 * Draws `count` parameters from the prior, and simulates data for each. Simulation i depends on the seed (default 0) and on i only.
 *
 * @throws ARGUMENT when the number or the seed is not valid; MODEL when the simulator fails, with the parameters, when it does not always
 *   return the same number of values, and when no simulation returns finite values; INTERRUPTED when `signal` is aborted.
 */
export async function simulate<P extends Priors>(
  simulator: Simulator<P>,
  count: number,
  options: { seed?: number; signal?: AbortSignal } = {},
): Promise<Simulations> {
  checkOptions("simulate", options, { seed: seedValue, signal: abortSignal });
  const { seed = 0, signal } = options;
  return simulateFromPrior(simulator, count, new Random(seed), signal);
}

/** `simulate` with the random numbers of `random`. */
export async function simulateFromPrior<P extends Priors>(
  simulator: Simulator<P>,
  count: number,
  random: Random,
  signal?: AbortSignal,
): Promise<Simulations> {
  checkSimulations(count);
  const { features } = simulator.prior;
  const coordinates = random.split("prior").normal(new Float64Array(count * features));
  return simulateAt(simulator, coordinates, random.split("simulations"), signal);
}

/** Throws `ARGUMENT` unless a number of simulations is a positive integer. */
export function checkSimulations(count: number): void {
  if (Number.isInteger(count) && count > 0) return;
  throw new PushforwardError("ARGUMENT", "the number of simulations is not valid", {
    expected: "a positive integer",
    received: brief(count),
  });
}

/**
 * Simulates data at each row of coordinates [n, D], with random numbers that depend on the index of the row. `width` is the number of values of
 * earlier simulations, if there are any. Throws `INTERRUPTED` when the signal is aborted.
 */
export async function simulateAt<P extends Priors>(
  simulator: Simulator<P>,
  coordinates: Float64Array,
  random: Random,
  signal?: AbortSignal,
  width?: number,
): Promise<Simulations> {
  const { parameters, prior } = simulator;
  const { features } = prior;
  const rows = coordinates.length / features;
  const draws = await constrainedDraws(prior, coordinates);
  const outputs: Float64Array[] = [];
  const valid: Float64Array[] = [];
  for (let i = 0; i < rows; i++) {
    await throwIfAborted(signal);
    const values = Object.entries(parameters).map(([name, { shape, toValue }]) => {
      const size = sizeOf(shape);
      return [name, toValue(draws[name].slice(i * size, (i + 1) * size))];
    });
    const row = coordinates.subarray(i * features, (i + 1) * features);
    const output = await runOnce(
      simulator,
      Object.fromEntries(values) as SimulatedParameters<P>,
      new RandomStream(random.split(i)),
      row,
    );
    checkOutput(output, width ?? outputs[0]?.length);
    // A copy, because a simulator may write each of its outputs to the same array.
    const numbers = Float64Array.from(output);
    if (!numbers.every(Number.isFinite)) continue;
    outputs.push(numbers);
    valid.push(row);
  }
  if (outputs.length === 0) {
    throw new PushforwardError("MODEL", `none of ${rows} simulations returned finite values`, {
      hint: "Look at the values that the simulator returns for some parameters.",
    });
  }
  return {
    count: outputs.length,
    width: outputs[0].length,
    coordinates: concatRows(valid),
    data: concatRows(outputs),
    invalid: rows - outputs.length,
  };
}

async function runOnce<P extends Priors>(
  simulator: Simulator<P>,
  values: SimulatedParameters<P>,
  random: RandomStream,
  row: Float64Array,
): Promise<ArrayLike<number>> {
  try {
    return await simulator.simulate(values, random);
  } catch (cause) {
    const at = await describePoint(simulator.prior, row.slice(), {});
    const message = cause instanceof Error ? cause.message : String(cause);
    throw new PushforwardError("MODEL", `the simulator failed for ${at}: ${message.replace(/\.$/, "")}`, {
      hint: "Correct the program, or return NaN where no data can be simulated: such simulations are left out.",
      cause,
    });
  }
}

function checkOutput(output: ArrayLike<number> | undefined, width: number | undefined): void {
  const isArray = typeof output === "object" && output?.length > 0;
  if (isArray && output.length === (width ?? output.length)) return;
  throw new PushforwardError("MODEL", "the simulator did not return an array of the same length each time", {
    expected: width === undefined ? "an array of numbers" : `${width} numbers, as in another simulation`,
    received: isArray ? `${output.length} numbers` : brief(output),
    hint: "Return an array, also for a single number, with NaN in place of numbers that are missing.",
  });
}

/** The simulations of `first`, and then those of `second`, which have the same width. */
export const joinSimulations = (first: Simulations, second: Simulations): Simulations => ({
  count: first.count + second.count,
  width: first.width,
  coordinates: concatRows([first.coordinates, second.coordinates]),
  data: concatRows([first.data, second.data]),
  invalid: first.invalid + second.invalid,
});
