import { PushforwardError } from "../../check/index.ts";
import type { ColumnOptions } from "./columnOptions.ts";
import { type InferredColumn, inferColumn } from "./inferColumn.ts";
import type { RawColumn } from "./tableColumn.ts";

// A float64 has 53 significant bits, so different integers beyond 2^53 may become equal, such as 2^53 and 2^53 + 1.

/** Whether a column has integers beyond 2^53. */
export const hasLargeIntegers = ({ type, values }: RawColumn): boolean =>
  (type === "integer" || type === "number") && values.some((x) => Math.abs(x) > Number.MAX_SAFE_INTEGER);

/** The integers beyond 2^53 of a column. */
export interface LargeIntegers {
  /** Whether different integers are equal as numbers. */
  readonly areMerged: boolean;
}

/**
 * Whether a column with integers beyond 2^53 is learned as text, which keeps all digits: if different integers are equal as numbers, or if
 * the values are labels or a constant. If another kind is stated, it is not.
 *
 * @throws ARGUMENT if different integers are equal as numbers, and the kind `integer` or `lattice` is stated.
 */
export function isLearnedAsText(
  raw: RawColumn,
  { kind }: ColumnOptions = {},
  { areMerged }: LargeIntegers,
): boolean {
  if (areMerged && (kind === "integer" || kind === "lattice")) {
    throw new PushforwardError("ARGUMENT", `column "${raw.name}" cannot be ${kind}`, {
      expected:
        "integers up to 2^53, or larger ones that stay different when they are rounded to 64-bit floating-point numbers",
      received: "different integers that become equal when they are rounded",
      hint: `State the kind categorical, which keeps all digits, or continuous, which rounds them.`,
    });
  }
  if (kind !== undefined && kind !== "categorical" && kind !== "constant") return false;
  if (areMerged) return true;
  const inferred = inferColumn(raw, kind === undefined ? {} : { kind });
  return "column" in inferred && TEXT_KINDS.has(inferred.column.kind);
}

/** Columns of these kinds have strings as values. */
const TEXT_KINDS: ReadonlySet<string> = new Set(["categorical", "constant"]);

/** Infers a column in memory, and returns its values in the form in which it is learned. Bigints stay bigints in rows of the model. */
export function inferRawColumn(
  raw: RawColumn,
  options: ColumnOptions = {},
): { readonly raw: RawColumn; readonly inferred: InferredColumn } {
  const { exactText, isBigint } = raw;
  const areMerged = exactText && new Set(raw.values).size < new Set(exactText.values).size;
  const learned = exactText && isLearnedAsText(raw, options, { areMerged: areMerged! }) ? exactText : raw;
  const inferred = inferColumn(learned, options);
  if (!isBigint || "excluded" in inferred || inferred.column.kind === "time")
    return { raw: learned, inferred };
  return { raw: learned, inferred: { column: { ...inferred.column, isBigint } } };
}
