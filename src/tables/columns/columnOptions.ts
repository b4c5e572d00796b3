import * as z from "zod/mini";
import { nearestName, PushforwardError, parse } from "../../check/index.ts";
import { COLUMN_KINDS, type ColumnKind, KIND_SYNTAX } from "../options/index.ts";

export type { ColumnKind } from "../options/index.ts";

export const columnOptionsSchema = z
  .strictObject({
    kind: z.optional(z.enum(COLUMN_KINDS)),
    low: z.optional(z.number()),
    high: z.optional(z.number()),
    period: z.optional(z.number().check(z.positive())),
  })
  .check(
    z.refine(({ low, high }) => low === undefined || high === undefined || low < high, {
      path: ["high"],
      error: "a number above low",
    }),
    z.refine(({ kind, low, high }) => kind !== "bounded" || (low !== undefined && high !== undefined), {
      path: ["kind"],
      error: "low and high for the kind bounded",
    }),
    z.refine(({ kind, period }) => kind !== "cyclic" || period !== undefined, {
      path: ["kind"],
      error: "a period for the kind cyclic",
    }),
  );

/** Properties of a column that a user states; the others are inferred from its values. */
export interface ColumnOptions {
  /** Default: inferred. */
  kind?: ColumnKind | undefined;
  /** The lower bound: samples are not below it, and smaller values have density 0. Default: inferred. */
  low?: number | undefined;
  /** The upper bound: samples are not above it, and larger values have density 0. Default: inferred. */
  high?: number | undefined;
  /** The period of a cyclic column, such as 360 for degrees. Default: inferred from the name and the range of the column. */
  period?: number | undefined;
}

/** Checks the options of columns, by their names. Throws `ARGUMENT` for unknown columns and invalid options. */
export function checkColumnOptions(
  options: Readonly<Record<string, ColumnOptions | ColumnKind>>,
  names: readonly string[],
): Map<string, ColumnOptions> {
  return new Map(
    Object.entries(options).map(([name, stated]) => {
      if (!names.includes(name)) {
        const nearest = nearestName(name, names);
        throw new PushforwardError("ARGUMENT", `there is no column "${name}"`, {
          expected: names.length <= 20 ? names.join(", ") : `one of ${names.length} columns`,
          hint: nearest === undefined ? "Correct the name." : `Did you mean "${nearest}"?`,
        });
      }
      const columnOptions = typeof stated === "string" ? columnOptionsOf(stated, name) : stated;
      return [
        name,
        parse(columnOptionsSchema, columnOptions, `the options of column "${name}"`) as ColumnOptions,
      ];
    }),
  );
}

/** Reads a kind as it is typed on a command line: `integer`, `bounded:0:1`, `cyclic:360`. Throws `ARGUMENT`. */
export function columnOptionsOf(text: string, name: string): ColumnOptions {
  const [kind, ...words] = text.split(":") as [string, ...string[]];
  const numbers = words.map((word) => (word.trim() === "" ? Number.NaN : Number(word)));
  const expected = { bounded: 2, cyclic: 1 }[kind] ?? 0;
  if (
    (COLUMN_KINDS as readonly string[]).includes(kind) &&
    words.length === expected &&
    numbers.every(Number.isFinite)
  ) {
    if (kind === "bounded") return { kind, low: numbers[0], high: numbers[1] };
    if (kind === "cyclic") return { kind, period: numbers[0] };
    return { kind: kind as ColumnKind };
  }
  const nearest = nearestName(kind, COLUMN_KINDS);
  throw new PushforwardError("ARGUMENT", `the kind of column "${name}" is not valid`, {
    expected: `one of ${KIND_SYNTAX.join(", ")}`,
    received: text,
    ...(nearest !== undefined && nearest !== kind && { hint: `Did you mean ${nearest}?` }),
  });
}
