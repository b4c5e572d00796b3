import { createColors } from "picocolors";
import { count } from "./format.ts";
import { colorful, type Io } from "./io.ts";
import { bar, LiveLine } from "./liveLine.ts";

/** What a command tells on standard error while it works: warnings, and on a terminal how far it is. */
export class Messages {
  private readonly terminal: boolean;
  private readonly line: LiveLine;
  private readonly colors: ReturnType<typeof createColors>;

  constructor({ stderr, env }: Io) {
    this.terminal = Boolean(stderr.isTTY);
    this.line = new LiveLine(stderr);
    this.colors = createColors(colorful(stderr, env));
  }

  warn(text: string): void {
    this.print(`${this.colors.yellow("Warning:")} ${text}`);
  }

  print(text: string): void {
    this.line.print(text);
  }

  /** How far the command is, on a terminal: a bar between two texts, which goes where there is no room for it. */
  progress(share: number, before: string, after: string): void {
    if (!this.terminal) return;
    this.line.show((width) => {
      const room = Math.min(24, width - before.length - after.length);
      if (room < 6) return `${before}${after.trimStart()}`.slice(0, width);
      const { full, rest } = bar(share, room);
      return `${before}${this.colors.cyan(full)}${this.colors.dim(rest)}${after}`;
    });
  }

  /** How many of `total` rows are done, on a terminal. */
  rows(done: number, total: number): void {
    this.progress(done / total, "", ` ${count(done)} of ${count(total)} rows`);
  }

  /** Takes away what was only to be seen while it was true. */
  end(): void {
    this.line.end();
  }
}
