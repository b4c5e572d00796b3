import { count, counted } from "../check/index.ts";
import type { DescribedColumn } from "../tables/io/index.ts";
import { alignedRows, escapeControls } from "./format.ts";

/** More columns are not printed, because nobody would read them. */
const MAX_COLUMNS = 100;
/** In characters. */
const MAX_NAME_LENGTH = 32;
const MAX_TYPE_LENGTH = 16;

/** A line of text for each of the first 100 columns: its name, type and kind, the share of missing values, and its values. */
export function columnTable(columns: readonly DescribedColumn[]): string {
  const rows = columns
    .slice(0, MAX_COLUMNS)
    .map(({ name, type, options, details, missing, remarks }) => [
      shortened(name, MAX_NAME_LENGTH),
      shortened(type.toLowerCase(), MAX_TYPE_LENGTH),
      options.kind === "exclude" ? "left out" : options.kind!,
      percentage(missing),
      escapeControls([details, ...remarks].filter(Boolean).join("; ").replace(/\s+/g, " ")),
    ]);
  const lines = alignedRows([["column", "type", "kind", "missing", "values"], ...rows]);
  const table = lines.map((line) => `${line}\n`).join("");
  const more = columns.length - rows.length;
  if (more <= 0) return table;
  const leftOut = columns.slice(MAX_COLUMNS).filter(({ options }) => options.kind === "exclude").length;
  const leftOutText = leftOut > 0 ? `, of which ${count(leftOut)} left out` : "";
  return `${table}... and ${counted(more, "more column")}${leftOutText}; --json prints all\n`;
}

function percentage(share: number | undefined): string {
  if (share === undefined) return "";
  if (share === 0) return "0%";
  return share < 0.001 ? "< 0.1%" : `${(100 * share).toFixed(1)}%`;
}

const shortened = (text: string, maxLength: number): string => {
  const line = escapeControls(text.replace(/\s+/g, " "));
  const characters = [...line];
  return characters.length <= maxLength ? line : `${characters.slice(0, maxLength - 3).join("")}...`;
};
