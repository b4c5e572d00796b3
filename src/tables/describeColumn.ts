import type { TableColumn } from "./tableColumn.ts";

/** What is shown about a column before training. */
export interface ColumnDescription {
  readonly name: string;
  readonly kind: string;
  readonly details: string;
}

const MAX_LABELS_SHOWN = 4;
const MAX_LABEL_LENGTH = 20;

/** The kind of a column in words, and its range, labels or units. */
export function describeColumn(column: TableColumn): ColumnDescription {
  const { name, gaps } = column;
  const { kind, details } = kindAndDetails(column);
  return { name, kind, details: [details, ...(gaps ? ["gaps"] : [])].join("; ") };
}

function kindAndDetails(column: TableColumn): { kind: string; details: string } {
  switch (column.kind) {
    case "constant":
      return { kind: "constant", details: column.value === null ? "always missing" : column.value };
    case "categorical": {
      const shown = column.labels.slice(0, MAX_LABELS_SHOWN).map(shortened).join(", ");
      const more = column.labels.length - MAX_LABELS_SHOWN;
      const kind = column.type === "boolean" ? "boolean" : "categorical";
      return { kind, details: more > 0 ? `${column.labels.length} labels: ${shown}, ...` : shown };
    }
    case "time":
      return { kind: column.type, details: column.parts.map(({ unit }) => unit).join(", ") };
    case "lattice": {
      const { first, step, cells, decimals, period, type } = column;
      const last = Number((first + step * (cells - 1)).toFixed(decimals));
      const kind = period !== undefined ? "cyclic" : type === "integer" && step === 1 ? "integer" : "lattice";
      const parts = [`${Number(first.toFixed(decimals))} to ${last}`];
      if (step !== 1) parts.push(`step ${step}`);
      if (period !== undefined) parts.push(`period ${period}`);
      return { kind, details: parts.join(", ") };
    }
    case "continuous": {
      const { low, high, scale, period } = column;
      const kind = period !== undefined ? "cyclic" : scale.type === "asinh" ? "heavy-tailed" : "continuous";
      const bounds =
        low !== undefined && high !== undefined
          ? `${low} to ${high}`
          : low !== undefined
            ? `at least ${low}`
            : high !== undefined
              ? `at most ${high}`
              : "";
      return {
        kind,
        details: [bounds, ...(period === undefined ? [] : [`period ${period}`])].filter(Boolean).join(", "),
      };
    }
  }
}

const shortened = (label: string): string =>
  label.length > MAX_LABEL_LENGTH ? `${label.slice(0, MAX_LABEL_LENGTH - 3)}...` : label;
