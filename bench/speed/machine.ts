import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { cpus, loadavg, release } from "node:os";
import { systemBlas } from "./blas.ts";
import type { Contestant } from "./contestant.ts";

/** What the measured times depend on: date, commit, machine and the versions of all libraries. */
export function environmentOf(peers: readonly Contestant[]): Record<string, string> {
  const { optionalDependencies } = JSON.parse(
    readFileSync(new URL("../../package.json", import.meta.url), "utf8"),
  );
  const [cpu, ...others] = cpus();
  return {
    date: new Date().toISOString().slice(0, 10),
    commit: commit(),
    processor: `${cpu.model.trim()}, ${1 + others.length} cores`,
    system: `${process.platform} ${release()}`,
    node: process.version,
    "onnxruntime-node": optionalDependencies["onnxruntime-node"],
    ...Object.assign({}, ...peers.map(({ versions }) => versions)),
    BLAS: systemBlas() ?? "not by Debian's alternatives",
  };
}

function commit(): string {
  const git = (...command: string[]) => spawnSync("git", command, { encoding: "utf8" }).stdout?.trim();
  return `${git("rev-parse", "--short", "HEAD")}${git("status", "--porcelain", "src") ? " and changes" : ""}`;
}

/** Other load makes all times longer, most of all those of PyTorch, whose threads wait for each other. */
export function warnOfBusyMachine(): void {
  const [load] = loadavg();
  if (load > 0.5)
    console.error(
      `The machine was busy in the last minute (load ${load.toFixed(1)}): times will be too long.`,
    );
}
