import { Standardize } from "../../bijections/index.ts";
import { abortSignal, checkOptions, integerFrom, seedValue } from "../../check/index.ts";
import { columnOf } from "../../dataset/index.ts";
import { type CalibrationResult, rankCalibration, ranksAmongDraws } from "../../numerics/index.ts";
import { Random } from "../../random/index.ts";
import { type EngineOptions, engineRules } from "../../runtime/index.ts";
import { constrainedDraws, drawTable } from "../draws.ts";
import type { SimulationPosterior } from "./posterior.ts";
import { type Simulations, simulateFromPrior, simulationsRule } from "./simulate.ts";
import type { Priors } from "./simulator.ts";

/** Options of `simulationBasedCalibration`. */
export interface SimulationCalibrationOptions extends EngineOptions {
  /** The number of new simulations, or simulations that the posterior was not fitted to. Default 300. */
  readonly simulations?: number | Simulations | undefined;
  /** The number of draws for each simulation. Default 99. */
  readonly draws?: number | undefined;
  /** Number of bins of the histograms. Default 10. */
  readonly bins?: number | undefined;
  /** Seed of the simulations and draws. Default 1. */
  readonly seed?: number | undefined;
  /** Ends the simulations with an `INTERRUPTED` error. Default none. */
  readonly signal?: AbortSignal | undefined;
}

/** The name of the column of TARP distances. */
const DISTANCE = "distance to a reference point";

/**
 * Simulation-based calibration (Talts et al. 2018): if the posterior is right, then for simulations (theta, x) the rank of theta among draws
 * from the posterior given x is uniform. There is a histogram for each number of the parameters, and one for the distance of the coordinates
 * to a reference point (TARP, Lemos et al. 2023). The reference point is a random linear function of the data, so that the test also
 * detects a posterior that ignores the data, such as the prior. A U-shaped histogram means that the posterior is too narrow.
 *
 * @throws ARGUMENT when an option is not valid; MODEL and INTERRUPTED as `simulate` does.
 */
export async function simulationBasedCalibration<P extends Priors>(
  { simulator, flow }: SimulationPosterior<P>,
  options: SimulationCalibrationOptions = {},
): Promise<CalibrationResult> {
  checkOptions("simulationBasedCalibration", options, {
    ...engineRules,
    simulations: simulationsRule,
    draws: integerFrom(1),
    bins: integerFrom(1),
    seed: seedValue,
    signal: abortSignal,
  });
  const { simulations = 300, draws = 99, bins = 10, seed = 1, signal, ...engine } = options;
  const { parameters, prior } = simulator;
  const random = new Random(seed);
  // The label "calibration" gives other simulations than those of a fit with the same seed.
  const { count, width, data, coordinates } =
    typeof simulations === "number"
      ? await simulateFromPrior(simulator, simulations, random.split("calibration"), signal)
      : simulations;
  const D = prior.features;
  const contexts = Array.from({ length: count }, (_, i) => data.subarray(i * width, (i + 1) * width));
  const drawn = await flow.sample(draws, { ...engine, contexts, seed });
  const tableOf = async (positions: Float64Array) => {
    const { columns, rows: values } = drawTable(parameters, await constrainedDraws(prior, positions, engine));
    return { columns, rows: positions.length / D, values };
  };
  const [real, drawnTable] = [await tableOf(coordinates), await tableOf(drawn)];
  const columns = real.columns.map((name, c) => ({
    name,
    real: columnOf(real, c),
    drawn: columnOf(drawnTable, c),
  }));
  const reference = referencePoints(data, width, D, random.split("reference"));
  // Squared distances have the same ranks as distances.
  const squaredDistances = (rows: Float64Array, perPoint: number) =>
    Float64Array.from({ length: rows.length / D }, (_, i) => {
      const point = Math.floor(i / perPoint) * D;
      let squares = 0;
      for (let d = 0; d < D; d++) squares += (rows[i * D + d] - reference[point + d]) ** 2;
      return squares;
    });
  columns.push({
    name: DISTANCE,
    real: squaredDistances(coordinates, 1),
    drawn: squaredDistances(drawn, draws),
  });
  const ranks = columns.map(({ name, ...column }) => {
    const uniform = random.split(`ties of ${name}`).uniform(new Float64Array(count));
    return { name, pit: ranksAmongDraws(column.real, column.drawn, uniform) };
  });
  return rankCalibration(ranks, { rows: count, bins });
}

/** A point [D] for each row of data [n, K]: a random linear function of the standardized data, of about unit variance. */
function referencePoints(data: Float64Array, width: number, features: number, random: Random): Float64Array {
  const scaler = new Standardize({ features: width });
  const rows = data.length / width;
  scaler.fitToData({ rows, features: width, values: data });
  const standardized = scaler.toLatent(data);
  const matrix = random.normal(new Float64Array(width * features)).map((z) => z / Math.sqrt(width));
  const points = new Float64Array(rows * features);
  for (let n = 0; n < rows; n++)
    for (let k = 0; k < width; k++)
      for (let d = 0; d < features; d++)
        points[n * features + d] += standardized[n * width + k] * matrix[k * features + d];
  return points;
}
