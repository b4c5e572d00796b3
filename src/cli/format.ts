/** 1707 -> "1,707" */
export const count = (n: number): string => String(n).replace(/\B(?=(\d{3})+$)/g, ",");

/** "1 row", "1,707 rows" */
export const counted = (n: number, thing: string): string => `${count(n)} ${thing}${n === 1 ? "" : "s"}`;

/** A log-density in nats. */
export const nats = (x: number): string =>
  Number.isFinite(x) && Math.abs(x) < 1e6 ? x.toFixed(3) : x.toPrecision(4);

/** Minutes and seconds, with hours where there are some. */
export function duration(milliseconds: number): string {
  const seconds = Math.floor(milliseconds / 1000);
  const [h, m, s] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  const two = (n: number) => String(n).padStart(2, "0");
  return h > 0 ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`;
}

/** One JSON object in one line. Numbers that JSON cannot hold become `null` (NaN) or strings (`"-Infinity"`). */
export const jsonLine = (object: object): string =>
  `${JSON.stringify(object, (_, value: unknown) =>
    value === Number.POSITIVE_INFINITY || value === Number.NEGATIVE_INFINITY ? String(value) : value,
  )}\n`;

/** In characters. Messages contain names and queries of any length; more of them helps no reader. */
const MAX_TEXT_LENGTH = 4000;

/** What would move the cursor, change colours or reorder a line of a terminal. */
const CONTROLS = /[\p{Cc}\u200E\u200F\u2028-\u202E\u2066-\u2069]/gu;

/**
 * A text that may hold names from outside, for a terminal: in one line, with escapes such as `\\x1b` in place of control
 * characters, and without its middle if it has more than `longest` characters.
 */
export function visible(text: string, longest = MAX_TEXT_LENGTH): string {
  const line = withoutControls(text.replace(/\s*\n\s*/g, " ").trim());
  const half = longest / 2;
  return line.length <= longest ? line : `${line.slice(0, half)} ... ${line.slice(-half)}`;
}

/** A text of several lines with escapes in place of other control characters. */
export const withoutControls = (text: string): string =>
  text.replace(CONTROLS, (c) => {
    const code = c.codePointAt(0)!.toString(16);
    if (c === "\n" || c === "\t") return c;
    return code.length > 2 ? `\\u${code.padStart(4, "0")}` : `\\x${code.padStart(2, "0")}`;
  });
