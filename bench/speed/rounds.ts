import { setTimeout } from "node:timers/promises";
import type { Case } from "./cases.ts";
import { type Comparison, comparison } from "./comparison.ts";
import type { Asked } from "./contestant.ts";

/** What somebody waits for takes thousands of steps, so the time is that of a warm one, which small flows reach late. */
const PLAN = { repeats: 200, budgetMs: 1000, warmUpMs: 500 };

/** Between two contestants: threads that wait for work spin a while before they sleep. */
const PAUSE_MS = 100;

/** Lets everyone run every case in turn, so many rounds, and compares each peer with us in the cases that it can run. */
export async function compete(
  cases: readonly Case[],
  ours: Asked,
  peers: readonly Asked[],
  rounds: number,
): Promise<Comparison[]> {
  const entries = cases.flatMap((benchCase) =>
    [ours, ...peers].map((contestant): Entry => ({ benchCase, contestant, rounds: [], startMs: 0 })),
  );
  for (let round = 1; round <= rounds; round++) {
    for (const benchCase of cases) {
      console.error(`round ${round} of ${rounds}: ${benchCase.name}`);
      const turn = entries.filter((entry) => entry.benchCase === benchCase && !entry.out);
      // Who goes first changes, so that a machine that slows down slows everyone.
      for (const entry of round % 2 === 0 ? turn.reverse() : turn) await measure(entry);
    }
  }
  return cases.flatMap((benchCase) => {
    const [own, ...others] = entries.filter((entry) => entry.benchCase === benchCase);
    if (own.out) throw new Error(`${benchCase.name}: ${own.out}`);
    const running = others.filter(({ out }) => !out);
    return running.map((their) => comparison(benchCase, their.contestant.name, their, own));
  });
}

/** A contestant in a case. */
interface Entry {
  readonly benchCase: Case;
  readonly contestant: Asked;
  readonly rounds: (readonly number[])[];
  startMs: number;
  /** Why it is out. */
  out?: string;
}

async function measure(entry: Entry): Promise<void> {
  await setTimeout(PAUSE_MS);
  const answer = await entry.contestant.ask(entry.benchCase, PLAN);
  if ("times" in answer) {
    if (entry.rounds.length === 0) entry.startMs = answer.startMs;
    entry.rounds.push(answer.times);
  } else {
    entry.out = "error" in answer ? answer.error : answer.unsupported;
    console.error(`without ${entry.contestant.name}: ${entry.out}`);
  }
}
