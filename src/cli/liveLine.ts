import type { Output } from "./io.ts";

/** Repaints of a terminal are worth no more often than this, in milliseconds. */
const PAUSE = 80;
const ERASE = "\r\u001B[K";

/** One line at the bottom of a terminal that is written over and over. */
export class LiveLine {
  private readonly output: Output;
  private shown = "";
  private last = Number.NEGATIVE_INFINITY;

  constructor(output: Output) {
    this.output = output;
  }

  /** Shows the line that `text` gives for a width, unless the last one is still fresh. */
  show(text: (width: number) => string): void {
    const now = performance.now();
    if (now - this.last < PAUSE) return;
    this.last = now;
    this.shown = text((this.output.columns ?? 80) - 1);
    this.output.write(`${ERASE}${this.shown}`);
  }

  /** Writes a line above, which stays. */
  print(text: string): void {
    this.output.write(`${this.shown && ERASE}${text}\n${this.shown}`);
  }

  /** Takes the line away. */
  end(): void {
    if (this.shown) this.output.write(ERASE);
    this.shown = "";
  }
}

/** A bar of `width` characters, of which `share` is full. */
export function bar(share: number, width: number): { full: string; rest: string } {
  const filled = Math.round(Math.min(1, Math.max(0, share)) * width);
  return { full: "━".repeat(filled), rest: "─".repeat(width - filled) };
}
