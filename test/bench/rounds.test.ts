import { expect, test, vi } from "vitest";
import type { Case } from "../../bench/speed/cases.ts";
import type { MeasurementSource } from "../../bench/speed/contestant.ts";
import { runRounds } from "../../bench/speed/rounds.ts";

const shape = { job: "train", flow: "maf", dim: 2, batch: 16 } as const;
const cases: readonly Case[] = [
  { name: "first", ...shape },
  { name: "second", ...shape },
];

/** A contestant that takes `ms` milliseconds, and from its second request on fails in the case with the name `fails`. */
function contestant(name: string, ms: number, fails?: string) {
  const requested: string[] = [];
  const source: MeasurementSource = {
    name,
    async request(benchCase) {
      const isFirst = !requested.includes(benchCase.name);
      requested.push(benchCase.name);
      return benchCase.name === fails && !isFirst ? { error: "no memory" } : { times: [ms], startMs: 1 };
    },
  };
  return { source, requested };
}

test("a case in which pushforward fails is left out with a message, and so is a peer that fails", async () => {
  const messages = vi.spyOn(console, "error").mockImplementation(() => {});
  const ours = contestant("pushforward", 1, "first");
  const zuko = contestant("zuko", 3);
  const nflows = contestant("nflows", 5, "second");
  const comparisons = await runRounds(cases, ours.source, [zuko.source, nflows.source], 3);
  expect(comparisons.map(({ name, peer, ratio }) => [name, peer, ratio])).toEqual([["second", "zuko", 3]]);
  expect(messages).toHaveBeenCalledWith("first is left out: no memory");
  expect(messages).toHaveBeenCalledWith("without nflows: no memory");
  expect(ours.requested).toEqual(["first", "second", "first", "second", "second"]);
  // In the third round the first case is not measured any more.
  expect(zuko.requested).toEqual(["first", "second", "first", "second", "second"]);
  messages.mockRestore();
});
