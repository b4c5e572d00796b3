import { isAbsolute, relative, sep } from "node:path";

/** Whether a path is the directory itself or below it. Both are absolute. */
export function isInside(path: string, directory: string): boolean {
  const steps = relative(directory, path);
  return steps !== ".." && !steps.startsWith(`..${sep}`) && !isAbsolute(steps);
}
