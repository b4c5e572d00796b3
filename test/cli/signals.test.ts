import { type ChildProcess, execFileSync, spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { constants } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { PushforwardError } from "../../src/check/errors.ts";
import { writeFailure } from "../../src/cli/failure.ts";
import { EARTHQUAKES, MAIN, start, workplace } from "./command.ts";

const { path, list, plain } = workplace();

/** Whether a signal is in a set of signals that Linux shows for a process: `SigCgt`, those that it handles, or `ShdPnd`, those not delivered yet. */
function isIn(set: "SigCgt" | "ShdPnd", signal: NodeJS.Signals, { pid }: ChildProcess): boolean {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  const bits = new RegExp(`^${set}:\\s*(\\w+)`, "m").exec(status)![1];
  return (BigInt(`0x${bits}`) & (1n << BigInt(constants.signals[signal] - 1))) > 0n;
}

/** The processor time of a process in seconds, of which Linux counts hundredths. */
function processorSeconds({ pid }: ChildProcess): number {
  const [user, system] = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]!.split(" ").slice(11, 13);
  return (Number(user) + Number(system)) / 100;
}

/** Starts a command, and waits until it handles signals, and then until it waits for something or has computed for a second. */
async function started(words: readonly string[]) {
  const running = start(words);
  // Node itself handles SIGINT and SIGTERM.
  while (!isIn("SigCgt", "SIGHUP", running.child)) await sleep(50);
  const atHandler = processorSeconds(running.child);
  for (let last = -1, now = atHandler; now !== last && now - atHandler < 1; ) {
    await sleep(500);
    [last, now] = [now, processorSeconds(running.child)];
  }
  return running;
}

/** The outcome of a signal to a command that would run forever. */
async function stopped(signal: NodeJS.Signals, words: readonly string[]) {
  const running = await started(words);
  expect(running.child.exitCode).toBe(null);
  const sent = performance.now();
  running.child.kill(signal);
  const { code, signal: endedBy, out, err } = await running.ended;
  // Two seconds, and a tolerance for a busy machine.
  expect(performance.now() - sent).toBeLessThan(8000);
  return { code, signal: endedBy, out, err: plain(err) };
}

/** On a busy machine, a command may not have started its training yet, and then says "before the end". */
const STOPPED = expect.stringMatching(
  /^Stopped before the (end|first epoch was finished); no file was written\.\nRun the command again\.\n$/,
);

/** A training run whose graph takes very long to build. */
const busy = (name: string) => ["fit", EARTHQUAKES, "--flow=nsf", "--transforms=1000", "-o", path(name)];

/** These tests mostly wait, so they run at the same time. */
describe("a signal ends a command", () => {
  it.concurrent("that waits for a file", async () => {
    execFileSync("mkfifo", [path("fifo.csv")]);
    const words = ["fit", path("fifo.csv"), "-o", path("fifo.safetensors")];
    expect(await stopped("SIGINT", words)).toEqual({ code: 130, signal: "SIGINT", out: "", err: STOPPED });
  });

  it.concurrent("that runs a query without end", async () => {
    const query = "SELECT count(*) AS n FROM range(1000000000) a, range(1000000000) b";
    const words = ["fit", query, "-o", path("query.safetensors")];
    expect(await stopped("SIGTERM", words)).toEqual({ code: 143, signal: "SIGTERM", out: "", err: STOPPED });
  });

  it.concurrent("that computes without a pause, with a message about its files", async () => {
    const outcome = { code: 129, signal: "SIGHUP", out: "", err: STOPPED };
    expect(await stopped("SIGHUP", busy("graph.safetensors"))).toEqual(outcome);
  });

  it.concurrent("at once when it comes twice", async () => {
    const running = await started(busy("twice.safetensors"));
    // Almost without a pause, in which a command that does not compute yet could end by the first signal. Two signals that have not been
    // delivered have no fixed order.
    running.child.kill("SIGINT");
    while (isIn("ShdPnd", "SIGINT", running.child));
    running.child.kill("SIGTERM");
    expect(await running.ended).toMatchObject({ code: 143, out: "", err: "" });
  });

  it("and leaves no output and no lock", () => {
    expect(list()).toEqual(["fifo.csv"]);
  });
});

describe("a lack of memory is reported with a hint", () => {
  const fit = ["fit", EARTHQUAKES, "--flow", "nsf", "-o", path("memory.safetensors")];

  it("if the JavaScript heap is full", () => {
    const { status, stderr } = spawnSync(process.execPath, [MAIN, ...fit, "--transforms", "1000"], {
      encoding: "utf8",
      env: { ...process.env, NODE_OPTIONS: "--max-old-space-size=100" },
    });
    expect({ status, stderr }).toMatchInlineSnapshot(`
      {
        "status": 1,
        "stderr": "Error: There is not enough memory (Worker terminated due to reaching memory limit: JS heap out of memory).
      Lower --transforms or --hidden of fit, or allow JavaScript more memory: NODE_OPTIONS=--max-old-space-size=8000
      ",
      }
    `);
  });

  it.each([
    "WebAssembly.Memory(): could not allocate memory",
    "Array buffer allocation failed",
    "Invalid typed array length: 10000000000",
    "std::bad_alloc",
    "Failed to allocate memory for requested buffer of size 40000000000",
  ])("if the message is %s", (message) => {
    for (const error of [new RangeError(message), new PushforwardError("ENGINE", message)]) {
      const written: string[] = [];
      const stderr = { write: (text: string) => written.push(text) > 0 } as never;
      writeFailure(error, { stderr, env: {} });
      expect(written.join("")).toBe(
        `Error: There is not enough memory (${message}).\nClose other programs, raise ulimit -v if it is set, or lower --threads. With fit, --batch-size, --hidden and --transforms can be lowered too.\n`,
      );
    }
  });

  it("but not for an error that only looks similar", () => {
    const written: string[] = [];
    const stderr = { write: (text: string) => written.push(text) > 0 } as never;
    writeFailure(new RangeError("Invalid typed array length: -1"), { stderr, env: {} });
    expect(written.join("")).toContain("This is a bug in pushforward");
  });
});
