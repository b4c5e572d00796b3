import { readFile } from "node:fs/promises";
import * as z from "zod/mini";
import { PushforwardError, parse } from "../check/index.ts";
import { readError } from "../files/index.ts";
import { type ColumnOptions, columnOptionsOf, columnOptionsSchema } from "../tables/columns/index.ts";
import type { DescribedColumn } from "../tables/io/index.ts";

/**
 * The options that --column and --schema state, by the names of the columns. --column takes precedence.
 *
 * @throws ARGUMENT for a kind that does not exist, a column that is stated twice or given to --column although it is one of `given`, and an
 *   invalid schema; FILE if the schema cannot be read.
 */
export async function statedKinds({
  column,
  schema,
  given = [],
}: {
  readonly column: readonly string[];
  readonly schema: string | undefined;
  readonly given?: readonly string[] | undefined;
}): Promise<Record<string, ColumnOptions>> {
  const stated = new Map<string, ColumnOptions>();
  for (const text of column) {
    // The name of a column may contain "=", and a kind does not.
    const at = text.lastIndexOf("=");
    const name = text.slice(0, Math.max(0, at)).trim();
    if (name === "") {
      throw new PushforwardError("ARGUMENT", "--column has an invalid value", {
        expected: "NAME=KIND",
        received: text,
        hint: "For example: --column age=integer",
      });
    }
    if (stated.has(name)) {
      throw new PushforwardError("ARGUMENT", `--column gives the kind of "${name}" twice`, {
        hint: "Give it once.",
      });
    }
    if (given.includes(name)) {
      throw new PushforwardError(
        "ARGUMENT",
        `--column ${text} has no effect, because --given has this column`,
        {
          hint: "Leave out this option: given columns are numbers or labels.",
        },
      );
    }
    stated.set(name, columnOptionsOf(text.slice(at + 1).trim(), name));
  }
  return { ...(schema === undefined ? {} : await readSchema(schema)), ...Object.fromEntries(stated) };
}

/** What `pushforward columns --json` prints beside the options of a column, and `--schema` ignores. */
const informationSchema = {
  type: z.optional(z.unknown()),
  details: z.optional(z.unknown()),
  missing: z.optional(z.unknown()),
  remarks: z.optional(z.unknown()),
};

const schemaFile = z.strictObject({
  rows: z.optional(z.unknown()),
  columns: z.record(
    z.string(),
    z.union([z.string(), z.looseObject({})], { error: "a kind, or an object with the kind of the column" }),
  ),
});

async function readSchema(path: string): Promise<Record<string, ColumnOptions>> {
  const text = await readFile(path, "utf8").catch(async (error: unknown) => {
    throw await readError(error, path);
  });
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw new PushforwardError("ARGUMENT", `${path} is not JSON`, {
      expected: '{"columns": {"age": {"kind": "integer"}}}',
      hint: "Write it by pushforward columns DATA --json, and edit it.",
      cause,
    });
  }
  const { columns } = parse(schemaFile, json, path);
  return Object.fromEntries(
    Object.entries(columns).map(([name, stated]) => [
      name,
      typeof stated === "string" ? columnOptionsOf(stated, name) : optionsOnly(stated, name, path),
    ]),
  );
}

function optionsOnly(stated: Record<string, unknown>, name: string, path: string): ColumnOptions {
  const options = Object.fromEntries(
    Object.entries(stated).filter(([key]) => !Object.hasOwn(informationSchema, key)),
  );
  return parse(columnOptionsSchema, options, `column "${name}" of ${path}`) as ColumnOptions;
}

/** The columns as `--json` prints them, which is what `--schema` reads. */
export const columnsJson = (rows: number, columns: readonly DescribedColumn[]): object => ({
  rows,
  columns: Object.fromEntries(
    columns.map(({ name, options, ...information }) => [name, { ...options, ...information }]),
  ),
});
