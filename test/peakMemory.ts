import { existsSync, readFileSync } from "node:fs";

const STATUS = "/proc/self/status";

/** The peak memory of this process in MiB. On Linux, `resourceUsage` begins with the peak of the process that started this one. */
export function peakMemory(): number {
  const kibibytes = existsSync(STATUS)
    ? Number(/VmHWM:\s+(\d+)/.exec(readFileSync(STATUS, "utf8"))?.[1])
    : process.resourceUsage().maxRSS;
  return kibibytes / 1024;
}
