import { readFileSync, readlinkSync } from "node:fs";
import { hostname } from "node:os";

/** Identifies a process, so that other processes on its host can check later whether it has ended. */
export interface ProcessId {
  /** The host, and on Linux the PID namespace: containers can share directories and host names, but have separate process ids. */
  readonly host: string;
  readonly pid: number;
  /** The start time in clock ticks since the boot, on Linux: the system reuses the ids of processes that have ended. */
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
    // EPERM means that the process is running for another user.
    if ((error as NodeJS.ErrnoException).code === "ESRCH") return true;
  }
  const status = linuxStatus(pid);
  return status !== undefined && (status.zombie || status.start !== start);
}

function linuxStatus(pid: number): { zombie: boolean; start: string } | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, "latin1");
    // The second field is the name of the program in parentheses, which may contain spaces and parentheses.
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
