import { brief, PushforwardError } from "../check/index.ts";

/** Throws `ARGUMENT` unless the path of a file is a string. */
export function checkPath(path: unknown): void {
  if (typeof path === "string") return;
  throw new PushforwardError("ARGUMENT", "the path of a file is not a string", {
    expected: 'a path, such as "model.safetensors"',
    received: brief(path),
  });
}
