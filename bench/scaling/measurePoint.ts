import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { Case } from "../speed/cases.ts";

/** Time and memory of one case. */
export interface Point {
  readonly medianMs: number;
  readonly fastestMs: number;
  readonly repeats: number;
  /** Time of the first run, in which the session is created. */
  readonly firstRunMs: number;
  /** Increase of the process's peak resident memory in the first run, without the memory of rows and results. */
  readonly mebibytes: number;
}

const SCRIPT = fileURLToPath(new URL("point.ts", import.meta.url));

/** Measures a case in a new process, so that no other case adds to its memory. */
export function measurePoint(benchCase: Case): Point {
  const command = ["--expose-gc", "--import", "tsx", SCRIPT, JSON.stringify(benchCase)];
  const { status, stdout, stderr } = spawnSync(process.execPath, command, { encoding: "utf8" });
  if (status !== 0) throw new Error(`${benchCase.name}: ${stderr}`);
  return JSON.parse(stdout);
}
