import { PushforwardError } from "../check/index.ts";
import type { Random } from "../random/index.ts";
import { type AffineMap, affineMapOf, mapRows, pulledBackByAffine, unmapRows } from "./affineMap.ts";
import { findImproper, improperError } from "./improper.ts";
import type { EvaluateRows } from "./sampling/chainProgram.ts";
import type { NutsResult } from "./sampling/nutsChain.ts";
import { sampleNuts } from "./sampling/sampleNuts.ts";

/** Starts are uniform on (-START_RANGE, START_RANGE) in each unconstrained coordinate, as in Stan. */
const START_RANGE = 2;
/** How often a start is drawn again where the log-density or its gradient is not finite. */
const MAX_START_ATTEMPTS = 100;

/**
 * Short runs of the chains. Each run uses coordinates that are standardized by the mean and the covariance of the run before; otherwise
 * strongly correlated posteriors would need hundreds of steps for a draw.
 */
const RUNS = [
  { warmUp: 60, draws: 30, targetAcceptance: 0.8, maxDepth: 6 },
  { warmUp: 40, draws: 40, targetAcceptance: 0.8, maxDepth: 6 },
  { warmUp: 40, draws: 80, targetAcceptance: 0.8, maxDepth: 6 },
] as const;

/** A chain is stuck if its log-density is smaller than that of the median chain by at least this number of nats. */
const MIN_STUCK_NATS = 20;

/** A rough estimate of where a density has its mass. */
interface Pilot {
  /** Maps standard normal rows to the mean and the covariance of the mass. */
  readonly map: AffineMap;
  /** The draws of the last run in unconstrained coordinates, [n, D]. */
  readonly rows: Float64Array;
  /** The last point of each chain. */
  readonly ends: readonly Float64Array[];
  /** Evaluations of the density and its gradient. */
  readonly evaluations: number;
}

/** Texts about a point, for messages. */
interface PointDescriptions {
  point(position: Float64Array): Promise<string>;
  /** Which term of the log-density is not finite at the point. */
  nonFinite(position: Float64Array): Promise<string>;
}

/**
 * Finds the mass of a density by short chains of the No-U-Turn sampler.
 *
 * @throws NUMERIC when too few starts have a finite density and gradient, or when the chains show that the density has no finite integral.
 */
export async function runPilot(
  evaluate: EvaluateRows,
  features: number,
  chains: number,
  random: Random,
  describe: PointDescriptions,
): Promise<Pilot> {
  const starts = await findStarts(evaluate, features, chains, random.split("starts"));
  if (!("found" in starts)) {
    const { logDensity, position, finite, tried } = starts;
    throw new PushforwardError(
      "NUMERIC",
      "the log-density or its gradient is not finite at nearly all random starts",
      {
        expected: `${chains} finite starts`,
        received: `${finite} of ${tried}; the log-density is ${logDensity} at ${await describe.point(position)}: ${await describe.nonFinite(position)}`,
        hint: "The density must be positive for all values that the constraints allow: declare bounds by constraints.",
      },
    );
  }
  let ends = starts.found;
  let rows = new Float64Array(0);
  let evaluations = 0;
  let map: AffineMap = { center: new Float64Array(features), lower: identity(features) };
  const logDensities: number[] = [];
  for (const [i, settings] of RUNS.entries()) {
    const current = map;
    const runs = await sampleNuts(
      pulledBackByAffine(current, evaluate),
      ends.map((end) => unmapRows(current, end)),
      settings,
      random.split(i),
    );
    const kept = withoutStuckChains(runs, features);
    rows = new Float64Array(kept.length * settings.draws * features);
    kept.forEach(({ positions }, c) => {
      rows.set(mapRows(current, positions), c * settings.draws * features);
    });
    logDensities.push(kept.reduce((sum, { end }) => sum + end.logDensity, 0) / kept.length);
    if (i === RUNS.length - 1) {
      const problem = findImproper(kept, features, logDensities);
      if (problem) throw improperError(problem, await describe.point(mapRows(current, kept[0].end.position)));
    }
    evaluations += runs.reduce((sum, run) => sum + run.evaluations, 0);
    // A chain that was left out goes on from the end of another one.
    ends = ends.map((_, c) => mapRows(current, kept[c % kept.length].end.position));
    map = affineMapOf(rows, features);
  }
  return { map, rows, ends, evaluations };
}

/**
 * The chains without those that are stuck where the log-density is smaller than that of the median chain by more than chance
 * explains: log-densities of draws vary by about sqrt(D / 2).
 */
function withoutStuckChains(runs: readonly NutsResult[], features: number): NutsResult[] {
  const ascending = Float64Array.from(runs, ({ end }) => end.logDensity).sort();
  const lowest = ascending[ascending.length >> 1] - Math.max(MIN_STUCK_NATS, 2 * features);
  return runs.filter(({ end }) => end.logDensity >= lowest);
}

interface FailedStart {
  readonly logDensity: number;
  readonly position: Float64Array;
  /** How many of the points that were tried are finite. */
  readonly finite: number;
  readonly tried: number;
}

/** Random points with a finite log-density and gradient. */
async function findStarts(
  evaluate: EvaluateRows,
  features: number,
  count: number,
  random: Random,
): Promise<{ found: Float64Array[] } | FailedStart> {
  const found: Float64Array[] = [];
  let failure: Pick<FailedStart, "logDensity" | "position"> | undefined;
  for (let attempt = 0; attempt < MAX_START_ATTEMPTS && found.length < count; attempt++) {
    const rows = random
      .split(attempt)
      .uniform(new Float64Array(count * features))
      .map((u) => START_RANGE * (2 * u - 1));
    const { logDensity, gradient } = await evaluate(rows);
    for (let i = 0; i < count && found.length < count; i++) {
      const [start, end] = [i * features, (i + 1) * features];
      const position = rows.slice(start, end);
      if (Number.isFinite(logDensity[i]) && gradient.subarray(start, end).every(Number.isFinite))
        found.push(position);
      else failure = { logDensity: logDensity[i], position };
    }
  }
  if (found.length === count) return { found };
  return { ...failure!, finite: found.length, tried: MAX_START_ATTEMPTS * count };
}

const identity = (size: number): Float64Array =>
  Float64Array.from({ length: size * size }, (_, k) => (k % (size + 1) === 0 ? 1 : 0));
