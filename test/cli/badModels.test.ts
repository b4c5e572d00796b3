import { copyFileSync, readFileSync } from "node:fs";
import { beforeAll, expect, it } from "vitest";
import { decodeWithChecksum, encodeWithChecksum } from "../../src/parts/checksum.ts";
import { encodeSafetensors } from "../../src/parts/safetensors.ts";
import { correlated, quickModel, workplace } from "./command.ts";

const here = workplace();
const { path, write, list, failure } = here;
let table: string;
let model: string;

beforeAll(async () => {
  table = write("table.csv", correlated(50));
  model = await quickModel(here, table, "model");
});

/** The error of every command that reads models. All print the same error, and none leaves a file behind. */
async function reading(name: string, bytes?: Uint8Array): Promise<string> {
  const file = bytes ? write(name, bytes) : path(name);
  const before = list();
  const text = await failure("inspect", file);
  expect(await failure("evaluate", file, table)).toBe(text);
  expect(await failure("score", file, table, "-o", path("scored.csv"))).toBe(text);
  expect(await failure("sample", file, "-o", path("samples.csv"))).toBe(text);
  expect(list()).toEqual(before);
  return text;
}

/** The model with a changed description or changed arrays. */
function changed(change: (parts: ReturnType<typeof decodeWithChecksum>) => void): Uint8Array {
  const parts = decodeWithChecksum(readFileSync(model));
  change(parts);
  return encodeWithChecksum(parts.arrays, parts.metadata);
}

const described = (change: (description: Record<string, unknown>) => void) =>
  changed(({ metadata }) => {
    const description = JSON.parse(metadata.pushforward!);
    change(description);
    metadata.pushforward = JSON.stringify(description);
  });

it("refuses files that are missing, truncated, or not models", async () => {
  const bytes = readFileSync(model);
  expect(await reading("modle.safetensors")).toMatchInlineSnapshot(`
    "2
    Error: There is no file modle.safetensors.
    Did you mean model.safetensors?"
  `);
  expect(await reading("empty.safetensors", new Uint8Array())).toMatchInlineSnapshot(`
    "2
    Error: empty.safetensors: the model file is truncated: expected 8 bytes or more, received 0 bytes.
    It was not completely written or copied: copy it again from its source."
  `);
  const half = (await reading("half.safetensors", bytes.subarray(0, bytes.length / 2))).replace(
    /\d{3,}/g,
    "N",
  );
  expect(half).toMatchInlineSnapshot(`
    "2
    Error: half.safetensors: the model file is truncated: expected N bytes, received N bytes.
    It was not completely written or copied: copy it again from its source."
  `);
  const short = (await reading("short.safetensors", bytes.subarray(0, -1))).replace(/\d{3,}/g, "N");
  expect(short).toMatchInlineSnapshot(`
    "2
    Error: short.safetensors: the model file is truncated: expected N bytes, received N bytes.
    It was not completely written or copied: copy it again from its source."
  `);
  expect(await reading("text.safetensors", Buffer.from("a,b\n1,2\n3,4\n"))).toMatchInlineSnapshot(`
    "2
    Error: text.safetensors: the file is not a safetensors file: expected the length of a JSON header, then the header, received bytes 61 2c 62 0a 31 2c 32 0a 33.
    Give a model file that pushforward wrote."
  `);
  expect(await reading(".")).toMatch(/^2\nError: .* is a directory: expected a file\.\n/);
});

it("refuses files of other programs and of newer versions", async () => {
  const foreign = encodeSafetensors({ weight: { shape: [2], values: new Float32Array(2) } });
  expect(await reading("foreign.safetensors", foreign)).toMatchInlineSnapshot(`
    "2
    Error: foreign.safetensors: the safetensors file is not a pushforward model.
    Give a file that \`pushforward fit\` wrote."
  `);
  const newer = described((description) => {
    description.format = 99;
  });
  expect(await reading("newer.safetensors", newer)).toMatchInlineSnapshot(`
    "2
    Error: newer.safetensors: this model was written by a newer pushforward: expected format 7, received format 99.
    Update pushforward: npm install pushforward@latest."
  `);
  const checkpoint = encodeSafetensors({}, { "pushforward.checkpoint": "{}" });
  expect(await reading("checkpoint.safetensors", checkpoint)).toMatchInlineSnapshot(`
    "2
    Error: checkpoint.safetensors: the file is a checkpoint, not a model.
    Resume the training with \`fit --resume\`."
  `);
});

it("refuses models whose arrays do not match their description", async () => {
  const name = [...decodeWithChecksum(readFileSync(model)).arrays.keys()].find((key) =>
    key.endsWith(".center"),
  );
  const shape = changed(({ arrays }) => {
    const { values } = arrays.get(name!)!;
    arrays.set(name!, { shape: [1, values.length], values });
  });
  expect(await reading("shape.safetensors", shape)).toMatchInlineSnapshot(`
    "2
    Error: shape.safetensors: the model's array bijection.bijections.2.center has a wrong shape: expected [2], received [1, 2].
    Give a model file that the command "pushforward fit" wrote."
  `);
  const nan = changed(({ arrays }) => {
    arrays.get(name!)!.values[1] = Number.NaN;
  });
  expect(await reading("nan.safetensors", nan)).toMatchInlineSnapshot(`
    "2
    Error: nan.safetensors: the model's array bijection.bijections.2.center has NaN at index 1.
    The file is damaged, or its training failed: fit the model again."
  `);
  const lacking = changed(({ arrays }) => arrays.delete(name!));
  expect(await reading("lacking.safetensors", lacking)).toMatchInlineSnapshot(`
    "2
    Error: lacking.safetensors: the model has no floating-point array bijection.bijections.2.center.
    Give a model file that the command "pushforward fit" wrote."
  `);
  const columns = described((description) => {
    description.columns = ["a"];
  });
  expect(await reading("columns.safetensors", columns)).toMatchInlineSnapshot(`
    "2
    Error: columns.safetensors: the names of the model's columns do not match its flow: expected 2 different columns and 0 of the context, received 1 and 0.
    The file was not written by pushforward, or was changed since."
  `);
  const unknown = described((description) => {
    description.flow = { base: { type: "cauchy" } };
  });
  expect(await reading("unknown.safetensors", unknown)).toMatch(/^2\nError: unknown.safetensors: .*\n.*$/);
});

it("reports that model and table are swapped", async () => {
  copyFileSync(model, path("m.safetensors"));
  expect(await failure("evaluate", table, path("m.safetensors"))).toMatchInlineSnapshot(`
    "2
    Error: table.csv is a table, not a model.
    Give the model first, then the table."
  `);
});

it("says that a command needs a default model", async () => {
  expect(await failure("impute", model, table, "-o", path("imputed.csv"))).toMatchInlineSnapshot(`
    "2
    Error: pushforward impute needs a default model: expected a model fitted without --flow and --given, received model.safetensors, a single flow of numeric columns.
    Fit one: pushforward fit DATA"
  `);
  expect(await failure("sample", model, "--where", "x > 1")).toMatchInlineSnapshot(`
    "2
    Error: --where cannot be used with the model model.safetensors: expected a default model, or a flow of a table with columns that are not numbers, fitted without --given.
    Draw rows to a file, and select some of them by a query."
  `);
});

it("refuses tables with other columns than the model's", async () => {
  const other = write("other.csv", "A,c\n1,2\n3,4\n");
  const text = await failure("evaluate", model, other);
  expect(text).toMatchInlineSnapshot(`
    "2
    Error: other.csv has no columns "a", "b": expected the columns of the model, "a", "b", received "A", "c".
    Add the missing columns, or rename a column in a query: "SELECT * RENAME (A AS a) FROM 'other.csv'""
  `);
  expect(await failure("score", model, other, "-o", path("scored.csv"))).toBe(text);
  const words = write("words.csv", "a,b\nx,1\ny,2\n");
  expect(await failure("evaluate", model, words)).toMatchInlineSnapshot(`
    "2
    Error: words.csv has a column that is not numeric: expected numbers in the columns of the model, received "a" (VARCHAR).
    Give numbers in these columns."
  `);
  expect(
    await failure("evaluate", model, write("infinite.csv", "b,a\n1,2\n2,-inf\n")),
  ).toMatchInlineSnapshot(`
    "2
    Error: The column "a" of infinite.csv is infinite in row 2: expected finite numbers, received -Infinity.
    Correct the value, or replace it by an empty field, which counts as missing."
  `);
  expect(await failure("evaluate", model, write("header.csv", "a,b\n"))).toMatchInlineSnapshot(`
    "2
    Error: header.csv has no rows.
    Give a table with rows below its header."
  `);
  expect(await failure("evaluate", model, write("holes.csv", "a,b\n1,\n,2\n"))).toMatchInlineSnapshot(`
    "2
    Error: No row of holes.csv can be scored, because values are missing: expected a value in each column that had no missing values in training, received 2 incomplete rows; row 1 has no value of "b".
    Fill in the missing values, or fit a default model to a table in which values of these columns are missing too."
  `);
  const taken = write("taken.csv", "a,b,log_density\n1,2,3\n");
  expect(await failure("score", model, taken, "-o", path("scored.csv"))).toMatchInlineSnapshot(`
    "2
    Error: taken.csv already has a column "log_density".
    Rename it, or leave it out with a query: "SELECT * EXCLUDE ("log_density") FROM ...""
  `);
  expect(list()).not.toContain("scored.csv");
});
