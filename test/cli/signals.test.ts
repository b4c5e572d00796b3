import { execFileSync, spawnSync } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { writeFailure } from "../../src/cli/failure.ts";
import { PushforwardError } from "../../src/errors.ts";
import { EARTHQUAKES, start, workplace } from "./command.ts";

const { path, list, plain } = workplace();
const MAIN = fileURLToPath(new URL("../../src/cli/main.ts", import.meta.url));

/** The outcome of a signal to a command that would run forever. */
async function stopped(signal: NodeJS.Signals, words: readonly string[]) {
  const running = start(words);
  await sleep(5000);
  expect(running.child.exitCode).toBe(null);
  const sent = performance.now();
  running.child.kill(signal);
  const { code, out, err } = await running.ended;
  // Two seconds, and a tolerance for a busy machine.
  expect(performance.now() - sent).toBeLessThan(8000);
  return { code, out, err: plain(err) };
}

const STOPPED = "Stopped before the first epoch was finished; no file was written.\nRun the command again.\n";

/** A training whose graph takes very long to build. */
const BUSY = ["fit", EARTHQUAKES, "--flow", "nsf", "--transforms", "1000", "-o", path("graph.safetensors")];

describe("a signal ends a command", () => {
  it("that waits for a file", async () => {
    execFileSync("mkfifo", [path("fifo.csv")]);
    const words = ["fit", path("fifo.csv"), "-o", path("fifo.safetensors")];
    expect(await stopped("SIGINT", words)).toEqual({ code: 130, out: "", err: STOPPED });
  });

  it("that runs a query without end", async () => {
    const query = "SELECT count(*) AS n FROM range(1000000000) a, range(1000000000) b";
    const words = ["fit", query, "-o", path("query.safetensors")];
    expect(await stopped("SIGTERM", words)).toEqual({ code: 143, out: "", err: STOPPED });
  });

  it("that computes without a pause, with a message about its files", async () => {
    expect(await stopped("SIGHUP", BUSY)).toEqual({ code: 129, out: "", err: STOPPED });
  });

  it("at once when it comes twice", async () => {
    const running = start(BUSY);
    await sleep(5000);
    running.child.kill("SIGINT");
    await sleep(200);
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
    const { status, stderr } = spawnSync(
      process.execPath,
      ["--import", "tsx", MAIN, ...fit, "--transforms", "1000"],
      { encoding: "utf8", env: { ...process.env, NODE_OPTIONS: "--max-old-space-size=100" } },
    );
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
