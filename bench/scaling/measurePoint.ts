import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { Case } from "../speed/cases.ts";

/** What one case took. */
export interface Point {
  readonly medianMs: number;
  readonly fastestMs: number;
  readonly repeats: number;
  /** Time of the first run, in which the session is made. */
  readonly startMs: number;
  /** The process's resident memory at its highest, over what it held before, without the rows and the results. */
  readonly mebibytes: number;
}

const SCRIPT = fileURLToPath(new URL("point.ts", import.meta.url));

/** Measures a case in a fresh process, so that the memory is that of this case alone. */
export function measurePoint(benchCase: Case): Point {
  const command = ["--expose-gc", "--import", "tsx", SCRIPT, JSON.stringify(benchCase)];
  const { status, stdout, stderr } = spawnSync(process.execPath, command, { encoding: "utf8" });
  if (status !== 0) throw new Error(`${benchCase.name}: ${stderr}`);
  return JSON.parse(stdout);
}
