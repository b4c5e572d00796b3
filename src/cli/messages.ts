import { createColors } from "picocolors";
import { count } from "../check/index.ts";
import { singleLine } from "./format.ts";
import { type Io, supportsColor } from "./io.ts";

/** The least time between two repaints of the progress bar: nobody sees faster ones. */
const REPAINT_MILLISECONDS = 80;
/** Fewer characters make no useful bar. */
const MIN_BAR_WIDTH = 6;
const MAX_BAR_WIDTH = 24;
/** Clears the current line of a terminal. */
export const ERASE_LINE = "\r\u001B[K";

/** Warnings and messages on standard error, and below them a progress bar if it is a terminal. */
export class Messages {
  private readonly stderr: Io["stderr"];
  private readonly onProgress: Io["onProgress"];
  private readonly colors: ReturnType<typeof createColors>;
  /** The progress bar that the terminal shows. */
  private bar = "";
  private paintedAt = Number.NEGATIVE_INFINITY;

  constructor({ stderr, env, onProgress }: Io) {
    this.stderr = stderr;
    this.onProgress = onProgress;
    this.colors = createColors(supportsColor(stderr, env));
  }

  warn(text: string): void {
    this.write(`${this.colors.yellow("Warning:")} ${singleLine(text)}`);
  }

  print(text: string): void {
    this.write(singleLine(text));
  }

  /** Writes a line above the progress bar. */
  private write(line: string): void {
    this.stderr.write(`${this.bar && ERASE_LINE}${line}\n${this.bar}`);
  }

  /** Shows a progress bar between two texts. A narrow terminal shows only the texts. */
  progress(fraction: number, before: string, after: string): void {
    this.onProgress?.(`${before}${after}`.trim());
    const now = performance.now();
    if (!this.stderr.isTTY || now - this.paintedAt < REPAINT_MILLISECONDS) return;
    this.paintedAt = now;
    // A terminal of unknown width has 0 columns.
    const width = (this.stderr.columns || 80) - 1;
    const barWidth = Math.min(MAX_BAR_WIDTH, width - before.length - after.length);
    this.bar =
      barWidth < MIN_BAR_WIDTH
        ? `${before}${after.trimStart()}`.slice(0, width)
        : `${before}${this.drawBar(fraction, barWidth)}${after}`;
    this.stderr.write(`${ERASE_LINE}${this.bar}`);
  }

  /** Shows how many of `total` rows are done. */
  rowProgress(done: number, total: number): void {
    this.progress(done / total, "", ` ${count(done)} of ${count(total)} rows`);
  }

  /** Removes the progress bar. */
  clearProgress(): void {
    if (this.bar) this.stderr.write(ERASE_LINE);
    this.bar = "";
  }

  private drawBar(fraction: number, width: number): string {
    const filled = Math.round(Math.min(1, Math.max(0, fraction)) * width);
    return this.colors.cyan("━".repeat(filled)) + this.colors.dim("─".repeat(width - filled));
  }
}
