import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import type { Attempt } from "./hostileModels.ts";

const PROGRAM = fileURLToPath(new URL("hostileModels.ts", import.meta.url));

/** Changes half of the fields, and returns the outcomes and the peak memory. */
async function attemptHalf(half: number): Promise<{ attempts: Attempt[]; megabytes: number }> {
  // A separate process has a heap that is too small for the declared models, and can be killed if it hangs.
  const command = ["--max-old-space-size=150", "--import", "tsx", PROGRAM, String(half)];
  const child = spawn(process.execPath, command, {
    stdio: ["ignore", "pipe", "pipe"],
    timeout: 280_000,
    killSignal: "SIGKILL",
  });
  const attempts: Attempt[] = [];
  let last = "";
  let megabytes = Number.POSITIVE_INFINITY;
  let errors = "";
  child.stderr.on("data", (text) => {
    errors += text;
  });
  for await (const line of createInterface(child.stdout)) {
    last = line;
    const told = JSON.parse(line) as Partial<Attempt> & { megabytes?: number };
    if (told.outcome !== undefined) attempts.push(told as Attempt);
    megabytes = told.megabytes ?? megabytes;
  }
  expect(last, errors).toMatch(/^{"megabytes":/);
  return { attempts, megabytes };
}

test("small files that declare huge models throw at once, with little memory", {
  timeout: 300_000,
}, async () => {
  const halves = await Promise.all([0, 1].map(attemptHalf));
  const attempts = halves.flatMap(({ attempts }) => attempts);
  expect(attempts.length).toBeGreaterThan(500);
  const unexpected = attempts.filter(
    ({ outcome, harmless }) => outcome !== "MODEL" && !(harmless && outcome === "accepted"),
  );
  expect(unexpected).toEqual([]);
  expect(attempts.filter(({ milliseconds }) => milliseconds > 1500)).toEqual([]);
  // Including the program itself, and garbage of all files that is not collected yet.
  for (const { megabytes } of halves) expect(megabytes).toBeLessThan(350);
});
