import { withDecimals } from "../../check/index.ts";
import { escapeXml } from "../sheet.ts";

/** A cell of a table: its text, and whether this is a number, which is aligned to the right. */
export interface Cell {
  readonly text: string;
  readonly isNumber?: boolean;
}

/** A table below its caption. The first cell of a row is its heading. */
export function htmlTable(
  caption: string,
  head: readonly string[],
  rows: readonly (readonly Cell[])[],
): string {
  const isNumber = (c: number) => rows.some((row) => row[c]?.isNumber);
  const heading = head.map((text, c) => `<th scope="col"${numeric(isNumber(c))}>${escapeXml(text)}</th>`);
  const body = rows.map(
    ([first, ...others]) =>
      `<tr><th scope="row">${escapeXml(first.text)}</th>${others
        .map((cell) => `<td${numeric(cell.isNumber)}>${escapeXml(cell.text)}</td>`)
        .join("")}</tr>`,
  );
  return `<p class="caption">${escapeXml(caption)}</p><div class="scroll"><table aria-label="${escapeXml(caption)}"><thead><tr>${heading.join("")}</tr></thead><tbody>${body.join("")}</tbody></table></div>`;
}

const numeric = (isNumber: boolean | undefined): string => (isNumber ? ' class="number"' : "");

/** A figure with its caption below the heading. */
export const htmlFigure = (heading: string, content: string, caption = ""): string =>
  `<figure><h3>${escapeXml(heading)}</h3>${content}${caption && `<figcaption>${escapeXml(caption)}</figcaption>`}</figure>`;

export const number = (text: string): Cell => ({ text, isNumber: true });
export const words = (text: string): Cell => ({ text });

/** A number with a minus sign instead of a hyphen, or a dash for NaN. */
export const fixed = (value: number, digits: number): string =>
  Number.isNaN(value)
    ? "\u2013"
    : withDecimals(value, digits).replace("-", "\u2212").replace("Infinity", "\u221e");

/** "0.52 ± 0.03" */
export const withError = (value: number, standardError: number, digits: number): string =>
  `${fixed(value, digits)} ± ${fixed(standardError, digits)}`;

/** A text of at most `length` characters. */
export const shortened = (text: string, length: number): string =>
  text.length <= length ? text : `${text.slice(0, length - 1).trimEnd()}…`;
