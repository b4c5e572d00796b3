import { readFileSync, readlinkSync } from "node:fs";
import { hostname } from "node:os";

/** One process, named so that others on its host can tell later whether it has ended. */
export interface ProcessId {
  /** The host, and on Linux the PID namespace: containers may share a directory and a host name, but not their ids. */
  readonly host: string;
  readonly pid: number;
  /** When it started, in ticks since the boot of a Linux host: the system reuses the id of a process that has ended. */
  readonly start: string;
}

export const thisProcess: ProcessId = {
  host: [hostname().replace(/[^\w.-]/g, "_"), pidNamespace()].filter(Boolean).join("."),
  pid: process.pid,
  start: linuxStatus(process.pid)?.start ?? "0",
};

/** Whether a process of this host has ended; false for processes of other hosts, which cannot be checked. */
export function hasEnded({ host, pid, start }: ProcessId): boolean {
  if (host !== thisProcess.host) return false;
  try {
    process.kill(pid, 0);
  } catch (error) {
    // EPERM: it is there, and belongs to another user.
    if ((error as NodeJS.ErrnoException).code === "ESRCH") return true;
  }
  const status = linuxStatus(pid);
  return status !== undefined && (status.zombie || status.start !== start);
}

function linuxStatus(pid: number): { zombie: boolean; start: string } | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, "latin1");
    // The second field is the name of the program, in parentheses, and may itself hold anything.
    const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
    return { zombie: fields[0] === "Z", start: fields[19]! };
  } catch {
    return undefined;
  }
}

function pidNamespace(): string | undefined {
  try {
    return /\d+/.exec(readlinkSync("/proc/self/ns/pid"))?.[0];
  } catch {
    return undefined;
  }
}
