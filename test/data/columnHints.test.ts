import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Random } from "../../src/random/index.ts";
import { columnHint } from "../../src/tables/io/columnHints.ts";
import { openTable, readRows, readTrainingTable } from "../../src/tables/io/index.ts";
import { quotedIfNeeded } from "../../src/tables/io/query.ts";
import { type ColumnNote, columnNotes } from "../../src/tables/notes/index.ts";
import { parseColumnList } from "../../src/tables/options/columnList.ts";
import { temporaryDirectory } from "./temporaryFiles.ts";

const { write } = temporaryDirectory();
let files = 0;

type Columns = Readonly<Record<string, ArrayLike<number>>>;

/** Writes a table, and gives its path. */
function tableOf(columns: Columns): string {
  const names = Object.keys(columns);
  const header = names.map((name) => `"${name.replaceAll('"', '""')}"`).join(",");
  const rows = Array.from(columns[names[0]], (_, row) => names.map((name) => columns[name][row]).join(","));
  return write(`table ${files++}.csv`, [header, ...rows, ""].join("\n"));
}

/** The notes on a table, each with its hint. */
async function hints(data: string, { columns, given = [] }: { columns?: string[]; given?: string[] } = {}) {
  const table = await openTable(data);
  try {
    const others = table.columns.map(({ name }) => name).filter((name) => !given.includes(name));
    const learned = await readRows(table, columns ?? others);
    const none = { columns: [], rows: learned.rows, values: new Float64Array(0) };
    const numbers = given.length > 0 ? await readRows(table, given) : none;
    const source = data.startsWith("/") ? `'${data}'` : `(${data})`;
    const noted = { source, chosen: columns, learned, given: numbers, givenNames: given };
    const notes = columnNotes(learned, { given: numbers });
    return notes.map((note) => ({ kind: note.kind, note, hint: columnHint(note, noted) }));
  } finally {
    await table.close();
  }
}

/** The query in a hint, as a shell would hand it over. */
function queryIn(hint: string): string {
  const [, double, single] = /"((?:FROM|SELECT) [^"]*)"|'((?:FROM|SELECT) (?:[^']|'\\'')*)'/.exec(hint)!;
  return double ?? single.replaceAll("'\\''", "'");
}
const plain = (hint: string): string => hint.replace(/[^' ]*\/table \d+\.csv/, "table.csv");
const columnsIn = (hint: string): string[] =>
  parseColumnList(/--columns (?:'([^']*)'|(\S+?))(?=[;. ]|$)/.exec(hint)!.slice(1).find(Boolean)!);

const random = new Random(11);
const uniform = (name: string, rows = 400) => random.split(name).uniform(new Float64Array(rows));
const x = uniform("x");
const y = uniform("y");
const kindsOf = (found: readonly { kind: ColumnNote["kind"] }[]) => found.map(({ kind }) => kind);

it("quotes the keywords that name a column only in quotes", async () => {
  const { database, ...table } = await openTable(
    "SELECT keyword_name FROM duckdb_keywords() WHERE keyword_category IN ('reserved', 'type_function')",
  );
  const keywords = (await database.run(`FROM ${table.relation.sql}`)).map(([word]) => String(word));
  await database.close();
  expect(keywords).toContain("left");
  expect(keywords.filter((word) => quotedIfNeeded(word) === word)).toEqual([]);
  expect(["x", "year", "first"].map(quotedIfNeeded)).toEqual(["x", "year", "first"]);
});

describe("following a hint removes its note:", () => {
  it("noise is added to values on a grid", async () => {
    const [one, ...more] = await hints(
      tableOf({
        age: x.map((v) => Math.round(40 * v)),
        order: y.map((v) => Math.round(30 * v) / 4),
        z: uniform("z"),
      }),
    );
    expect([one.kind, more]).toEqual(["grid", []]);
    expect(plain(one.hint)).toMatchInlineSnapshot(
      `"Add uniform noise as wide as the step: 'SELECT * REPLACE (age + (random() - 0.5) AS age, "order" + 0.25 * (random() - 0.5) AS "order") FROM '\\''table.csv'\\'''"`,
    );
    expect(await hints(queryIn(one.hint))).toEqual([]);
  });

  it("rows with a frequent value are left out", async () => {
    const rain = x.map((v, i) => (i % 100 < 49 ? 0 : v));
    const capped = y.map((v) => Math.min(0.8, Math.max(0.1 + 0.02, v)));
    const data = tableOf({ rain, "a capped one": capped });
    const [one, ...more] = await hints(data);
    expect([one.kind, more]).toEqual(["atoms", []]);
    expect(plain(one.hint)).toMatchInlineSnapshot(
      `"Learn only the other 34% of the rows: 'FROM '\\''table.csv'\\'' WHERE rain <> 0 AND "a capped one" NOT IN (1.2000000000000001e-1, 0.8)'"`,
    );
    expect(await hints(queryIn(one.hint))).toEqual([]);
  });

  it("the query of a table is part of the new query", async () => {
    const [one] = await hints(
      "SELECT CASE WHEN i % 3 = 0 THEN 0 ELSE sin(i) END AS s FROM range(300) AS t(i)",
    );
    expect(plain(one.hint)).toMatchInlineSnapshot(
      `"Learn only the other 67% of the rows: "FROM (SELECT CASE WHEN i % 3 = 0 THEN 0 ELSE sin(i) END AS s FROM range(300) AS t(i)) WHERE s <> 0""`,
    );
    expect(await hints(queryIn(one.hint))).toEqual([]);
  });

  it("columns with few values are left out, or given", async () => {
    const data = tableOf({ grade: x.map((v) => Math.floor(3 * v)), x, y });
    const [{ kind, hint }] = await hints(data);
    expect(kind).toBe("fewValues");
    expect(hint).toMatchInlineSnapshot(
      `"Leave it out: --columns x,y; or, if it is a category, learn the other columns given it: --given grade"`,
    );
    expect(await hints(data, { columns: columnsIn(hint) })).toEqual([]);
    expect(await hints(data, { given: ["grade"] })).toEqual([]);
    const [chosen] = await hints(data, { columns: ["grade", "y"], given: ["x"] });
    expect(chosen.hint).toMatchInlineSnapshot(
      `"Leave it out: --columns y; or, if it is a category, learn the other columns given it: --columns y --given x,grade"`,
    );
    const [onlyHint] = await hints(tableOf({ grade: x.map((v) => Math.floor(3 * v)) }));
    expect(await hints(queryIn(onlyHint.hint))).toEqual([]);
  });

  it("columns that follow from others are left out", async () => {
    const data = tableOf({ x, "x again": x, y, sum: x.map((v, i) => v + y[i]) });
    const [{ kind, note, hint }] = await hints(data);
    expect(kind).toBe("dependence");
    expect(note.message).toContain("x again = x, sum = x + y.");
    expect(hint).toMatchInlineSnapshot(`"Leave out the columns that follow from others: --columns x,y"`);
    expect(await hints(data, { columns: columnsIn(hint) })).toEqual([]);
  });

  it("columns of any kind that follow from others are left out", async () => {
    const cents = (values: Float64Array) => values.map((value) => Math.round(100 * value) / 100);
    const net = cents(x.map((v) => 1000 * v));
    const vat = y.map((v) => Math.round(19 * v));
    const gross = cents(net.map((v, i) => v + vat[i]));
    const items = uniform("items").map((v) => Math.floor(5 * v));
    const table = tableOf({
      net,
      vat,
      gross,
      items,
      pairs: items.map((v) => v / 2),
      other: uniform("other"),
    });
    const data = `SELECT * REPLACE (CASE WHEN net > 900 THEN NULL ELSE items END AS items) FROM '${table}'`;
    const notesOf = async (columns?: readonly string[]) => {
      const read = await readTrainingTable(data, { kinds: {}, hasAtoms: true, columns });
      return read.notes();
    };
    const [note, ...more] = await notesOf();
    expect(more).toEqual([]);
    expect(note!.message).toBe(
      "Some columns follow from others: gross = net + vat, pairs = 0.5 items. Samples satisfy such an equation only approximately.",
    );
    expect(note!.hint).toBe("Leave out the columns that follow from others: --columns net,vat,items,other");
    expect(await notesOf(columnsIn(note!.hint))).toEqual([]);
  });

  it("dates that are codes are read as missing", async () => {
    const rows = Array.from({ length: 200 }, (_, i) => {
      const day = new Date(Date.UTC(2015, 0, 1 + ((i * 37) % 2000))).toISOString().slice(0, 10);
      return `${i % 10 === 0 ? "9999-12-31" : day},${x[i]}`;
    });
    const table = write("until.csv", ["the end,x", ...rows, ""].join("\n"));
    const notesOf = async (data: string) => (await readTrainingTable(data, { kinds: {} })).notes();
    const [note] = await notesOf(table);
    expect(note).toMatchObject({
      kind: "missingCodes",
      message:
        "Some dates look like codes for missing values, and would be learned as dates: the end (9999-12-31 in 20 rows).",
    });
    expect(await notesOf(queryIn(note!.hint))).toEqual([]);
  });

  it("given columns that determine all others are left out", async () => {
    const data = tableOf({ x, "x twice": x.map((v) => 2 * v), y });
    const [{ hint }] = await hints(data, { given: ["x twice", "y"], columns: ["x"] });
    expect(hint).toBe("Leave out of --given the columns that they follow from: 'x twice'");
    expect(await hints(data, { given: ["y"], columns: ["x"] })).toEqual([]);
  });

  it("columns that differ by repeated values are left out", async () => {
    const data = tableOf({ x, y, corrected: x.map((v, i) => v + (i % 2) / 4) });
    const [{ kind, hint }] = await hints(data);
    expect(kind).toBe("repeatedDifference");
    expect(await hints(data, { columns: columnsIn(hint) })).toEqual([]);
  });

  it("rows with far values are left out", async () => {
    const far = (values: ArrayLike<number>, ...ends: number[]) =>
      Float64Array.from([...Array.from(values), ...ends]);
    const data = tableOf({ x: far(x, 1e30, 0.5), y: far(y, -1e9 / 7, 1e12) });
    const [one, ...more] = await hints(data);
    expect([one.kind, more]).toEqual(["farValues", []]);
    expect(plain(one.hint)).toMatchInlineSnapshot(
      `"If these are mistakes, leave the rows out: "FROM 'table.csv' WHERE (x < 1e+30 OR x IS NULL) AND (y > -1.4285714285714287e+8 AND y < 1000000000000 OR y IS NULL)""`,
    );
    expect(await hints(queryIn(one.hint))).toEqual([]);
  });

  it("the query reads the notation of the file", async () => {
    for (const [delimiter, options, source] of [
      [",", { na: ["NA"] }, "read_csv('PATH', nullstr = ['', 'NA'])"],
      [":", { delimiter: ":" }, "read_csv('PATH', delim = ':')"],
      [
        ";",
        { decimal: ",", na: ["NA"] },
        "read_csv('PATH', decimal_separator = ',', delim = ';', nullstr = ['', 'NA'])",
      ],
    ] as const) {
      const numbers = Array.from(x, (v, i) =>
        i === 7 ? (options.na?.[0] ?? "") : i === 9 ? "1e9" : String(v),
      );
      const rows = numbers.map((v, i) => [v, y[i]].join(delimiter));
      const text = [["x", "y"].join(delimiter), ...rows, ""].join("\n");
      const path = write("notation.csv", options.decimal ? text.replaceAll(".", ",") : text);
      const [note] = (await readTrainingTable(path, options)).notes();
      expect(note!.hint).toContain(
        `"FROM ${source.replace("PATH", path)} WHERE (x < 1000000000 OR x IS NULL)"`,
      );
      expect((await readTrainingTable(queryIn(note!.hint))).notes()).toEqual([]);
    }
  });

  it("codes that are values in other columns become missing in a query", async () => {
    const coded = (code: number) => x.map((v, i) => (i % 20 === 0 ? code : 10 * v));
    const data = tableOf({ x: coded(-1), other: y.map((v, i) => (i === 3 ? -1 : 4 * v - 2)) });
    const [one, ...more] = await hints(data);
    expect([one.kind, more]).toEqual(["missingCodes", []]);
    expect(plain(one.hint)).toMatchInlineSnapshot(
      `"If they are, read them as missing: "SELECT * REPLACE (nullif(x, -1) AS x) FROM 'table.csv'""`,
    );
    expect(await hints(queryIn(one.hint))).toEqual([]);
    const [flag] = await hints(tableOf({ x: coded(-999), y: coded(-1) }));
    expect(flag.hint).toMatchInlineSnapshot(`"If they are, read them as missing: --na -999,-1"`);
    const [given] = await hints(tableOf({ x: coded(-999), y }), { given: ["x"] });
    expect(given.hint).toBe("If they are, read them as missing: --na -999");
  });

  it("for columns of any kind", async () => {
    const column = fc.record({
      step: fc.constantFrom(0, 1, 0.1, 0.25),
      range: fc.integer({ min: 2, max: 300 }),
      atom: fc.constantFrom(0, 0.05, 0.3, 0.6),
      value: fc.constantFrom(0, 1.5, 7.3),
    });
    await fc.assert(
      fc.asyncProperty(column, fc.nat(1e6), async ({ step, range, atom, value }, seed) => {
        const z = new Random(seed).uniform(new Float64Array(1600));
        const values = Float64Array.from({ length: 800 }, (_, i) => {
          const own = range * z[i];
          return z[800 + i] < atom ? value : step === 0 ? own : Math.round(own / step) * step;
        });
        let data = tableOf({
          "the column": values,
          other: new Random(seed + 1).uniform(new Float64Array(800)),
        });
        // A column with an atom may lie on a grid, which shows when the atom is gone.
        for (const before: string[] = []; ; ) {
          const [found, ...more] = await hints(data);
          if (!found) return;
          expect([more, before]).toEqual([[], expect.not.arrayContaining([found.kind])]);
          before.push(found.kind);
          if (found.kind === "fewValues") {
            expect(await hints(data, { columns: columnsIn(found.hint) })).toEqual([]);
            return;
          }
          data = queryIn(found.hint);
        }
      }),
      { numRuns: 25 },
    );
  });
});

it("is short also for many columns", async () => {
  const columns: Record<string, Float64Array> = {};
  for (let d = 0; d < 100; d++) {
    const values = uniform(`wide ${d}`);
    columns[`c${d}`] = d < 50 ? values : values.map((v) => Math.round(30 * v));
    columns[`copy${d}`] = values;
  }
  const found = await hints(tableOf(columns));
  expect(kindsOf(found)).toEqual(["grid", "dependence"]);
  for (const { note, hint } of found) expect(`${note.message} ${hint}`.length).toBeLessThan(1200);

  const one = await hints(
    tableOf({ ...Object.fromEntries(Object.entries(columns).slice(0, 80)), class: x.map(Math.round) }),
  );
  expect(plain(one.find(({ kind }) => kind === "fewValues")!.hint)).toMatchInlineSnapshot(
    `"Leave it out: "SELECT * EXCLUDE (class) FROM 'table.csv'"; or, if it is a category, learn the other columns given it: --given class"`,
  );
});
