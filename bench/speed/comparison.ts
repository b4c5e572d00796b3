import type { Case } from "./cases.ts";
import { median, quartiles, spread } from "./statistics.ts";
import { digits, range, table } from "./table.ts";

/** Milliseconds that one contestant took for one case: the repeats of each round, and the time to the first result. */
export interface Times {
  readonly rounds: readonly (readonly number[])[];
  readonly startMs: number;
}

/** The times of a peer and of pushforward for one case. */
export interface Comparison {
  readonly name: string;
  readonly job: Case["job"];
  readonly peer: string;
  /** Median over all repeats of all rounds, as `ourMs`. */
  readonly peerMs: number;
  readonly ourMs: number;
  /** The peer's time over ours. */
  readonly ratio: number;
  /** Interquartile range of the ratios of the rounds. */
  readonly spread: number;
  readonly peerQuartiles: readonly [number, number];
  readonly ourQuartiles: readonly [number, number];
  readonly peerStartMs: number;
  readonly ourStartMs: number;
  /** Required ratio; only for zuko. */
  readonly target?: number;
}

/** Compares the times of a peer with pushforward's from the same rounds. */
export function comparison(benchCase: Case, peer: string, theirs: Times, ours: Times): Comparison {
  const { name, job, target } = benchCase;
  const [peerMs, ourMs] = [theirs, ours].map(({ rounds }) => median(rounds.flat()));
  const ratios = theirs.rounds.map((times, round) => median(times) / median(ours.rounds[round]));
  return {
    name,
    job,
    peer,
    peerMs,
    ourMs,
    ratio: peerMs / ourMs,
    spread: spread(ratios),
    peerQuartiles: quartiles(theirs.rounds.flat()),
    ourQuartiles: quartiles(ours.rounds.flat()),
    peerStartMs: theirs.startMs,
    ourStartMs: ours.startMs,
    ...(peer === "zuko" && target !== undefined && { target }),
  };
}

export const comparisonTable = (comparisons: readonly Comparison[]): string =>
  table(
    ["case", "peer", "peer ms", "quartiles", "our ms", "quartiles", "ratio", "spread", "target", "start ms"],
    comparisons.map((c) => [
      c.name,
      c.peer,
      digits(c.peerMs),
      range(c.peerQuartiles),
      digits(c.ourMs),
      range(c.ourQuartiles),
      digits(c.ratio),
      digits(c.spread),
      c.target === undefined ? "" : `${c.target}${c.ratio < c.target ? " missed" : ""}`,
      `${c.peerStartMs.toFixed(0)}, ${c.ourStartMs.toFixed(0)}`,
    ]),
  );

/** The part of a comparison that `--json` writes. */
export const comparisonRecord = ({ name, job, peer, peerMs, ourMs, ratio, spread }: Comparison) => ({
  name,
  job,
  peer,
  peerMs,
  ourMs,
  ratio,
  spread,
});
