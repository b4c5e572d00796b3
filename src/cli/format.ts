import { nats } from "../check/index.ts";
import type { MeanEstimate } from "../numerics/index.ts";
import type { TimeLeft } from "./remainingTime.ts";

/** "-1.234 ± 0.056"; only the mean where there is no standard error. */
export const estimate = ({ mean, standardError }: MeanEstimate): string =>
  Number.isFinite(standardError) ? `${nats(mean)} ± ${nats(standardError)}` : nats(mean);

/** Minutes and seconds, with hours if there are any: "1:05", "2:00:30". */
export function duration(milliseconds: number): string {
  const seconds = Math.floor(milliseconds / 1000);
  const [h, m, s] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  const twoDigits = (n: number) => String(n).padStart(2, "0");
  return h > 0 ? `${h}:${twoDigits(m)}:${twoDigits(s)}` : `${m}:${twoDigits(s)}`;
}

/**
 * "less than 1 min left", "about 3 min left", or "at most 3 min left" if it is a limit, which is rounded up. Estimates have no seconds, because
 * they are not that precise.
 */
export function timeLeft({ milliseconds, isLimit }: TimeLeft): string {
  if (milliseconds < 60_000) return "less than 1 min left";
  const round = isLimit ? Math.ceil : Math.round;
  const minutes = round(milliseconds / 60_000);
  const text = minutes < 90 ? `${minutes} min` : `${round(minutes / 60)} h`;
  return `${isLimit ? "at most" : "about"} ${text} left`;
}

/** One JSON object in one line. Numbers that JSON cannot represent become `null` (NaN) or strings (`"-Infinity"`). */
export const jsonLine = (object: object): string =>
  `${JSON.stringify(object, (_, value: unknown) =>
    value === Number.POSITIVE_INFINITY || value === Number.NEGATIVE_INFINITY ? String(value) : value,
  )}\n`;

/** In characters. Messages contain names and queries of any length, and nobody reads more of them. */
const MAX_TEXT_LENGTH = 4000;

/** Characters that move the cursor of a terminal, change its colors or reorder a line. */
const CONTROLS = /[\p{Cc}\u200E\u200F\u2028-\u202E\u2066-\u2069]/gu;

/**
 * A text for a terminal that may contain names from files: in one line, with escapes such as `\x1b` in place of control
 * characters, and with " ... " in place of its middle if it is longer than `maxLength` characters.
 */
export function singleLine(text: string, maxLength = MAX_TEXT_LENGTH): string {
  const line = escapeControls(text.replace(/\s*\n\s*/g, " ").trim());
  const characters = [...line];
  if (characters.length <= maxLength) return line;
  const half = Math.floor((maxLength - 5) / 2);
  return `${characters.slice(0, half).join("")} ... ${characters.slice(-half).join("")}`;
}

/** Lines of cells, each padded to the width of its column: on its right or, with `right`, on its left from the second column on. */
export function alignedRows(rows: readonly (readonly string[])[], { right = false } = {}): string[] {
  const widthOf = (cell: string) => [...cell].length;
  const widths = (rows[0] ?? []).map((_, i) => Math.max(...rows.map((row) => widthOf(row[i]!))));
  const padded = (cell: string, i: number) => {
    const padding = " ".repeat(widths[i]! - widthOf(cell));
    return right && i > 0 ? padding + cell : cell + padding;
  };
  return rows.map((row) => row.map(padded).join("  ").trimEnd());
}

/** A text with escapes in place of all control characters except line breaks and tabs. */
export const escapeControls = (text: string): string =>
  text.replace(CONTROLS, (c) => {
    const code = c.codePointAt(0)!.toString(16);
    if (c === "\n" || c === "\t") return c;
    return code.length > 2 ? `\\u${code.padStart(4, "0")}` : `\\x${code.padStart(2, "0")}`;
  });
