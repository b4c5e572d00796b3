import { PushforwardError } from "../check/index.ts";
import type { NutsResult } from "./sampling/nutsChain.ts";

/**
 * In coordinates that are standardized by the run before, chains stay within a few standard deviations, even for heavy tails: at most 4 for all
 * posteriors of bench/posteriors. For a density without a finite integral they move a thousand or more away.
 */
const MAX_STANDARDIZED_SCALE = 100;
/** A log-density that rises by more nats from one run of the chains to the next, and faster than before, has no maximum. */
const MAX_RISE_NATS = 1000;

/** How chains show that a density has no finite integral: they move away without end, or its log-density rises without bound. */
type Improper =
  | { readonly kind: "moves away"; readonly scale: number }
  | { readonly kind: "rises"; readonly from: number; readonly to: number };

/**
 * Whether chains show that the density has no finite integral. `runs` are in coordinates that are standardized by the run before;
 * `logDensities` are the mean log-densities at the end of each run so far.
 */
export function findImproper(
  runs: readonly NutsResult[],
  features: number,
  logDensities: readonly number[],
): Improper | undefined {
  const count = runs.reduce((sum, { positions }) => sum + positions.length / features, 0);
  const squares = new Float64Array(features);
  for (const { positions } of runs)
    for (let k = 0; k < positions.length; k++) squares[k % features] += positions[k] ** 2 / count;
  const scale = Math.sqrt(squares.reduce((a, b) => Math.max(a, b)));
  if (!(scale < MAX_STANDARDIZED_SCALE)) return { kind: "moves away", scale };
  const [first, from, to] = logDensities.slice(-3);
  if (to - from > MAX_RISE_NATS && to - from > from - first) return { kind: "rises", from, to };
  return undefined;
}

/** The error for a density without a finite integral; `point` describes where a chain is. */
export function improperError(problem: Improper, point: string): PushforwardError {
  const what =
    problem.kind === "rises"
      ? "the log-density seems to be unbounded above"
      : "the density does not seem to have a finite integral";
  const movement =
    problem.kind === "rises"
      ? `a log-density that rose from ${problem.from.toPrecision(3)} to ${problem.to.toPrecision(3)}`
      : `chains that moved ${Number(problem.scale.toPrecision(2))} times as far as in the run before`;
  return new PushforwardError("NUMERIC", what, {
    expected: "pilot chains that converge",
    received: `${movement}, for example to ${point}`,
    hint: "Give each parameter a prior density that decreases far from 0, or bounds by its constraint.",
  });
}
