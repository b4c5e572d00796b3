import { setTimeout } from "node:timers/promises";
import type { Case } from "./cases.ts";
import { type Comparison, comparison } from "./comparison.ts";
import type { MeasurementSource } from "./contestant.ts";

/** A user waits for thousands of steps, so only warm repeats count; small flows need a long warm-up. */
const PLAN = { repeats: 200, budgetMs: 1000, warmUpMs: 500 };

/** Pause between two contestants, since idle threads of the previous one spin for a while before they sleep. */
const PAUSE_MS = 100;

/** Measures every case with every contestant in each of `rounds` rounds, and compares each peer with pushforward. */
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
      console.error(`round ${round} of ${rounds}: ${benchCase.name}`);
      const entriesOfCase = entries.filter((entry) => entry.benchCase === benchCase && !entry.failure);
      // The order is reversed in every second round, so that a machine that slows down affects all contestants alike.
      for (const entry of round % 2 === 0 ? entriesOfCase.reverse() : entriesOfCase) await measure(entry);
    }
  }
  return cases.flatMap((benchCase) => {
    const [our, ...peerEntries] = entries.filter((entry) => entry.benchCase === benchCase);
    if (our.failure) throw new Error(`${benchCase.name}: ${our.failure}`);
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
