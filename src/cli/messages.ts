import { createColors } from "picocolors";
import { count, visible } from "./format.ts";
import { colorful, type Io } from "./io.ts";

/** A terminal is worth no more repaints than one in so many milliseconds. */
const PAUSE = 80;
/** Clears the current line of a terminal. */
export const ERASE_LINE = "\r\u001B[K";

/** What a command tells on standard error while it works: warnings, and on a terminal how far it is, in a live line. */
export class Messages {
  private readonly stderr: Io["stderr"];
  private readonly colors: ReturnType<typeof createColors>;
  private line = "";
  private painted = Number.NEGATIVE_INFINITY;

  constructor({ stderr, env }: Io) {
    this.stderr = stderr;
    this.colors = createColors(colorful(stderr, env));
  }

  warn(text: string): void {
    this.write(`${this.colors.yellow("Warning:")} ${visible(text)}`);
  }

  /** Writes a line, which stays, above the live one. */
  print(text: string): void {
    this.write(visible(text));
  }

  private write(text: string): void {
    this.stderr.write(`${this.line && ERASE_LINE}${text}\n${this.line}`);
  }

  /** How far the command is, on a terminal: a bar between two texts, which goes where there is no room for it. */
  progress(share: number, before: string, after: string): void {
    const now = performance.now();
    if (!this.stderr.isTTY || now - this.painted < PAUSE) return;
    this.painted = now;
    const width = (this.stderr.columns ?? 80) - 1;
    const room = Math.min(24, width - before.length - after.length);
    this.line =
      room < 6
        ? `${before}${after.trimStart()}`.slice(0, width)
        : `${before}${this.bar(share, room)}${after}`;
    this.stderr.write(`${ERASE_LINE}${this.line}`);
  }

  /** How many of `total` rows are done, on a terminal. */
  rows(done: number, total: number): void {
    this.progress(done / total, "", ` ${count(done)} of ${count(total)} rows`);
  }

  /** Takes the live line away. */
  end(): void {
    if (this.line) this.stderr.write(ERASE_LINE);
    this.line = "";
  }

  private bar(share: number, width: number): string {
    const filled = Math.round(Math.min(1, Math.max(0, share)) * width);
    return this.colors.cyan("━".repeat(filled)) + this.colors.dim("─".repeat(width - filled));
  }
}
