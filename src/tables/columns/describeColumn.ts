import { shortened } from "../../check/index.ts";
import type { ColumnKind } from "../options/index.ts";
import type { ColumnOptions } from "./columnOptions.ts";
import type { ContinuousColumn, TableColumn, TimeColumn } from "./tableColumn.ts";
import { timeOf } from "./timeParts.ts";
import { typedText } from "./typedText.ts";

/** What is shown about a column before training. */
interface ColumnDescription {
  readonly kind: ColumnKind;
  /** The labels, units or bounds. */
  readonly details: string;
}

const MAX_LABELS_SHOWN = 4;
const MAX_LABEL_LENGTH = 20;

/** The options by which a user would state what was inferred about a column. A lattice has only those bounds that `stated` has. */
export function optionsOfColumn(column: TableColumn, stated: ColumnOptions = {}): ColumnOptions {
  const { kind } = describeColumn(column);
  if (column.kind !== "continuous" && column.kind !== "lattice") return { kind };
  const { low, high } = column.kind === "continuous" ? column : stated;
  return {
    kind,
    ...(low !== undefined && { low }),
    ...(high !== undefined && { high }),
    ...(column.period !== undefined && { period: column.period }),
  };
}

/** The kind of a column, and its labels, units or bounds in words. `range` is the range of its values, such as "1 to 9". */
export function describeColumn(column: TableColumn, range = ""): ColumnDescription {
  const details = (...parts: (string | undefined)[]) =>
    [range, ...parts].filter((part) => part && part !== `within ${range}`).join("; ");
  switch (column.kind) {
    case "constant":
      return { kind: "constant", details: column.value === null ? "always missing" : column.value };
    case "categorical": {
      const shown = column.labels
        .slice(0, MAX_LABELS_SHOWN)
        .map((label) => shortened(label, MAX_LABEL_LENGTH))
        .join(", ");
      const more = column.labels.length - MAX_LABELS_SHOWN;
      const kind = column.type === "boolean" || column.isBoolean ? "boolean" : "categorical";
      return { kind, details: more > 0 ? `${column.labels.length} labels: ${shown}, ...` : shown };
    }
    case "time":
      return {
        kind: column.type,
        details: details(
          range === "" ? timeRangeText(column) : undefined,
          column.parts.map(unitText).join(", "),
        ),
      };
    case "lattice": {
      const { first, step, cells, decimals, period, type } = column;
      const last = Number((first + step * (cells - 1)).toFixed(decimals));
      const kind = period !== undefined ? "cyclic" : type === "integer" && step === 1 ? "integer" : "lattice";
      return {
        kind,
        details: details(
          `within ${Number(first.toFixed(decimals))} to ${last}`,
          step !== 1 ? `step ${step}` : undefined,
          periodText(period),
        ),
      };
    }
    case "continuous":
      return {
        kind: continuousKind(column),
        details: details(boundsText(column), periodText(column.period)),
      };
  }
}

function continuousKind({ low, high, scale, period }: ContinuousColumn): ColumnKind {
  if (period !== undefined) return "cyclic";
  if (low !== undefined && high !== undefined) return "bounded";
  if (low === 0) return "positive";
  return scale.type === "asinh" ? "heavy-tailed" : "continuous";
}

function boundsText({ low, high }: ContinuousColumn): string | undefined {
  if (low !== undefined && high !== undefined) return `within ${low} to ${high}`;
  if (low !== undefined) return `at least ${low}`;
  return high === undefined ? undefined : `at most ${high}`;
}

/** The first and the last time that the model of a column includes. */
function timeRangeText(column: TimeColumn): string {
  const [first, last] = [() => 0, (cells: number) => cells - 1].map((cell) =>
    timeOf(
      column,
      column.parts.map(({ first, step = 1, cells }) => first + step * cell(cells)),
    ),
  );
  return `within ${typedText(column.type, first!)} to ${typedText(column.type, last!)}`;
}

const unitText = ({ unit, step = 1 }: TimeColumn["parts"][number]): string =>
  step === 1 ? unit : `${unit} in steps of ${step}`;

const periodText = (period: number | undefined) => (period === undefined ? undefined : `period ${period}`);
