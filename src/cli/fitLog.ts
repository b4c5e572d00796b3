import { writeFileSync } from "node:fs";
import { PushforwardError } from "../check/index.ts";
import { jsonLine } from "./format.ts";

/** A file with the events of a training run, one JSON object a line. Each line is complete before the training continues. */
export class FitLog {
  private readonly path: string;
  private flag: "a" | "w";

  /** Without `append`, the first event replaces the content of an existing file. Throws `FILE` if the file cannot be written. */
  constructor(path: string, { append }: { append: boolean }) {
    this.path = path;
    this.flag = append ? "a" : "w";
    this.orFileError(() => writeFileSync(path, "", { flag: "a" }));
  }

  write(event: object): void {
    this.orFileError(() => writeFileSync(this.path, jsonLine(event), { flag: this.flag }));
    this.flag = "a";
  }

  /** Calls `write`, and throws `FILE` if it fails. */
  private orFileError(write: () => void): void {
    try {
      write();
    } catch (cause) {
      throw new PushforwardError("FILE", `the log ${this.path} cannot be written`, {
        received: (cause as NodeJS.ErrnoException).code ?? String(cause),
        hint: "Choose another path for --log.",
        cause,
      });
    }
  }
}
