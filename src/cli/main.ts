#!/usr/bin/env node
import { constants } from "node:os";
import { PushforwardError } from "../errors.ts";
import { writeFailure } from "./failure.ts";
import type { Io } from "./io.ts";
import { run } from "./run.ts";

const { stdout, stderr, env } = process;
const interruption = new AbortController();
const io: Io = { stdout, stderr, env, interrupted: interruption.signal };

let received: NodeJS.Signals | undefined;
for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.on(signal, () => {
    // The second time is a wish to end at once; what is on the disk is whole at every moment.
    if (received) process.exit(128 + constants.signals[signal]);
    received = signal;
    interruption.abort();
  });
}

for (const stream of [stdout, stderr]) {
  stream.on("error", (error: NodeJS.ErrnoException) => {
    // Whoever read a pipe has gone away, and needs nothing more.
    if (error.code === "EPIPE") return;
    const failure = new PushforwardError("FILE", `Cannot write to standard output (${error.message})`, {
      mend: "See to the cause, and run the command again.",
      cause: error,
    });
    if (stream === stdout) writeFailure(failure, io);
    process.exit(1);
  });
}

const code = await run(process.argv.slice(2), io);
process.exitCode = code === 130 && received ? 128 + constants.signals[received] : code;
