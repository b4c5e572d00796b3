import { setTimeout } from "node:timers/promises";
import type { Case } from "./cases.ts";
import { type Comparison, comparison } from "./comparison.ts";
import type { MeasurementSource } from "./contestant.ts";

/** A user waits for thousands of steps, so only warm repeats count; small flows need a long warm-up. */
const PLAN = { repeats: 200, budgetMs: 1000, warmUpMs: 500 };

/** Pause between two contestants, since idle threads of the previous one spin for a while before they sleep. */
const PAUSE_MS = 100;

/**
 * Measures every case with every contestant in each of `rounds` rounds, and compares each peer with pushforward. A contestant that cannot run
 * a case is left out of it, with a message; without pushforward, nothing is left to compare, so the case is left out.
 */
export async function runRounds(
  cases: readonly Case[],
  ours: MeasurementSource,
  peers: readonly MeasurementSource[],
  rounds: number,
): Promise<Comparison[]> {
  const entries = cases.flatMap((benchCase) =>
    [ours, ...peers].map((contestant): Entry => ({ benchCase, contestant, rounds: [], startMs: 0 })),
  );
  for (let round = 1; round <= rounds; round++) {
    for (const benchCase of cases) {
      const entriesOfCase = entries.filter((entry) => entry.benchCase === benchCase && !entry.failure);
      if (!entriesOfCase.some(({ contestant }) => contestant === ours)) continue;
      console.error(`round ${round} of ${rounds}: ${benchCase.name}`);
      // The order is reversed in every second round, so that a machine that slows down affects all contestants alike.
      for (const entry of round % 2 === 0 ? entriesOfCase.reverse() : entriesOfCase) await measure(entry);
    }
  }
  return cases.flatMap((benchCase) => {
    const [our, ...peerEntries] = entries.filter((entry) => entry.benchCase === benchCase);
    if (our.failure) {
      console.error(`${benchCase.name} is left out: ${our.failure}`);
      return [];
    }
    const completed = peerEntries.filter(({ failure }) => !failure);
    return completed.map((peer) => comparison(benchCase, peer.contestant.name, peer, our));
  });
}

/** The measurements of one contestant for one case. */
interface Entry {
  readonly benchCase: Case;
  readonly contestant: MeasurementSource;
  readonly rounds: (readonly number[])[];
  startMs: number;
  /** Why the contestant cannot run the case. */
  failure?: string;
}

async function measure(entry: Entry): Promise<void> {
  await setTimeout(PAUSE_MS);
  const answer = await entry.contestant.request(entry.benchCase, PLAN);
  if ("times" in answer) {
    if (entry.rounds.length === 0) entry.startMs = answer.startMs;
    entry.rounds.push(answer.times);
  } else {
    entry.failure = "error" in answer ? answer.error : answer.unsupported;
    console.error(`without ${entry.contestant.name}: ${entry.failure}`);
  }
}
