import { expect, test } from "vitest";
import { type Case, parseCases } from "../../bench/speed/cases.ts";
import { Contestant, withoutBlasSettings } from "../../bench/speed/contestant.ts";
import { startOurs } from "../../bench/speed/contestants.ts";

const shape = { flow: "maf", dim: 2, transforms: 1, hidden: [4] };
const cases = parseCases(
  JSON.stringify([
    { name: "step", job: "train", batch: 16, ...shape },
    { name: "density", job: "logProb", rows: 16, ...shape },
    { name: "draws", job: "sample", rows: 16, ...shape },
    { name: "unknown", job: "sample", rows: 16, ...shape, flow: "unknown" },
  ]),
);

const plan = { repeats: 3, budgetMs: 100, warmUpMs: 10 };

/** Starts a contestant that answers each line with the value of a JavaScript expression. */
const answering = (expression: string) =>
  Contestant.start("stub", [
    process.execPath,
    "--eval",
    `const say = (value) => console.log(JSON.stringify(value));
     say({ peer: "stub", versions: { stub: "1" } });
     require("node:readline").createInterface({ input: process.stdin }).on("line", (line) => say(${expression}));`,
    "--",
  ]);

test("a request is one line, and so is its answer", async () => {
  const contestant = await answering("{ times: Array(JSON.parse(line).repeats).fill(2), startMs: 1 }");
  expect(contestant.versions).toEqual({ stub: "1" });
  expect(await contestant.request(cases[0], plan)).toEqual({ times: [2, 2, 2], startMs: 1 });
  contestant.stop();
});

test("an invalid answer is an error, and so is the end of the process", async () => {
  const contestant = await answering("{ times: [], startMs: 1 }");
  expect(await contestant.request(cases[0], plan)).toEqual({ error: expect.stringContaining("times") });
  contestant.stop();
  expect(await contestant.request(cases[0], plan)).toEqual({ error: "stub ended (SIGTERM): " });
});

test("the error of a contestant that ends quotes its standard error", async () => {
  const dies = [process.execPath, "--eval", `console.error("no such library"); process.exit(1)`, "--"];
  await expect(Contestant.start("stub", dies)).rejects.toThrow("stub ended (1): no such library");
  await expect(Contestant.start("stub", ["no-such-program"])).rejects.toThrow(
    /stub ended .*: spawn no-such-program/,
  );
});

test("pushforward's process answers with one time per repeat, and continues after an unknown flow", async () => {
  const ours = await startOurs();
  const ask = (benchCase: Case) => ours.request(benchCase, { ...plan, budgetMs: 1e6 });
  expect(await ask(cases[3])).toEqual({ error: expect.stringContaining("no recipe unknown") });
  for (const benchCase of cases.slice(0, 3)) {
    const first = await ask(benchCase);
    const second = await ask(benchCase);
    expect(first).toEqual({ times: [0, 1, 2].map(() => expect.any(Number)), startMs: expect.any(Number) });
    expect(second).toEqual({ ...first, times: expect.any(Array), startMs: 0 });
  }
  ours.stop();
});

test("peers start with the environment except the settings of a BLAS and its threads", () => {
  const environment = {
    PATH: "/usr/bin",
    OPENBLAS_CORETYPE: "Haswell",
    OPENBLAS_L2_SIZE: "512",
    OMP_PROC_BIND: "0",
  };
  expect(withoutBlasSettings(environment)).toEqual({ PATH: "/usr/bin" });
});
