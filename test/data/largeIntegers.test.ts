import { describe, expect, it } from "vitest";
import type { ColumnKind } from "../../src/tables/columns/columnOptions.ts";
import type { TableColumn } from "../../src/tables/columns/tableColumn.ts";
import {
  describeTable,
  openTable,
  readTrainingTable,
  type TrainingTableOptions,
} from "../../src/tables/io/index.ts";
import { inferColumns } from "../../src/tables/io/inferColumns.ts";
import { scanFeatures } from "../../src/tables/io/scanFeatures.ts";
import { temporaryDirectory } from "./temporaryFiles.ts";

const files = temporaryDirectory();

/** 2^53 + 1, which is 2^53 as a number. */
const ODD = "9007199254740993";
const EVEN = "9007199254740992";
const HUGE = ["170141183460469231731687303715884105727", "170141183460469231731687303715884105726"];

async function described(source: string, kinds: Record<string, ColumnKind> = {}) {
  const table = await openTable(source);
  try {
    const columns = await describeTable(table, { kinds });
    return columns.map(({ name, options, details, remarks }) =>
      [name, options.kind, details, ...remarks].join("; "),
    );
  } finally {
    await table.close();
  }
}

const csv = files.write(
  "large.csv",
  [
    "code,huge,id,ns,same,float",
    ...Array.from({ length: 60 }, (_, i) =>
      [
        i % 2 ? ODD : EVEN,
        HUGE[i % 2],
        BigInt(ODD) + BigInt(i),
        1_704_067_200_000_000_000n + BigInt(i * i) * 1_000_003n,
        ODD,
        `${1 + (i % 3)}e20`,
      ].join(","),
    ),
    "",
  ].join("\n"),
);
const query = `SELECT [${EVEN}, ${ODD}][1 + i % 2] AS code, [${HUGE[1]}, ${HUGE[0]}][1 + i % 2]::HUGEINT AS huge, (${ODD} + i)::UBIGINT AS id,
  1704067200000000000 + i * i * 1000003 AS ns, ${ODD} AS same, (1 + i % 3) * 1e20 AS float FROM range(60) AS t(i)`;

describe("integers beyond 2^53", () => {
  it.each([
    ["text", csv],
    ["integers", query],
  ])("are text if some are equal as numbers, and if they are labels: %s", async (_, source) => {
    expect(
      (await described(source)).map((line) =>
        line.replace(/\d{20,}/g, (digits) => `${digits.length} digits`),
      ),
    ).toMatchInlineSnapshot(`
      [
        "code; categorical; 9007199254740992, 9007199254740993; integers beyond 2^53, read as text because some would become equal as numbers: the kind continuous rounds them",
        "huge; categorical; 17014118346046923..., 17014118346046923...; integers beyond 2^53, read as text because some would become equal as numbers: the kind continuous rounds them",
        "id; exclude; text whose values are nearly all different (60 in 60 rows); integers beyond 2^53, read as text because some would become equal as numbers: the kind continuous rounds them",
        "ns; continuous; 1704067200000000000 to 1704067203481010400",
        "same; constant; 9007199254740993",
        "float; categorical; 10000000000000000..., 20000000000000000..., 30000000000000000...",
      ]
    `);
  });

  it("cannot be stated as integers if some are equal as numbers", async () => {
    expect(await files.failure(described(csv, { code: "integer" }))).toMatchInlineSnapshot(`
      "ARGUMENT column "code" cannot be integer: expected integers up to 2^53, or larger ones that stay different when they are rounded to 64-bit floating-point numbers, received different integers that become equal when they are rounded.
      State the kind categorical, which keeps all digits, or continuous, which rounds them."
    `);
    expect(
      (await described(csv, { code: "continuous", id: "categorical" })).slice(0, 3),
    ).toMatchInlineSnapshot(`
      [
        "code; constant; 9007199254740992",
        "huge; categorical; 17014118346046923..., 17014118346046923...; integers beyond 2^53, read as text because some would become equal as numbers: the kind continuous rounds them",
        "id; categorical; 60 labels: 9007199254740993, 9007199254740994, 9007199254740995, 9007199254740996, ...; integers beyond 2^53, read as text because some would become equal as numbers: the kind continuous rounds them",
      ]
    `);
  });

  it.each([
    ["text", csv],
    ["integers", query],
  ])(
    "are text to a flow, and refused where all columns are numbers, if some are equal as numbers: %s",
    async (_, source) => {
      const options = { kinds: {}, onlyIfMixed: true };
      const mixed = await readTrainingTable(source, { ...options, columns: ["code", "ns"] });
      expect(mixed.table?.map(({ name, kind }) => `${name}: ${kind}`)).toEqual([
        "code: categorical",
        "ns: continuous",
      ]);
      const numbers = await readTrainingTable(source, { ...options, columns: ["ns", "float"] });
      expect([numbers.columns, numbers.table]).toEqual([["ns", "float"], undefined]);
      const refused = async (chosen: TrainingTableOptions) =>
        (await files.failure(readTrainingTable(source, chosen))).match(/"\w+" of .* beyond 2\^53/)?.[0];
      expect(await refused({ columns: ["ns", "id"] })).toMatch(/^"id"/);
      expect(await refused({ ...options, columns: ["ns"], given: ["code"] })).toMatch(/^"code"/);
      expect(await refused({ kinds: {}, columns: ["ns"], given: ["code"] })).toMatch(/^"code"/);
    },
  );

  it("are the labels and the constant that a model learned only if they have the same digits", async () => {
    const table = await openTable(csv);
    const columns: TableColumn[] = [];
    for await (const { inferred } of inferColumns(table, ["code", "same"], { kinds: new Map() }))
      if ("column" in inferred) columns.push(inferred.column);
    await table.close();
    const rows = [`${ODD},${ODD}`, `9007199254740994,${ODD}`, `${EVEN},${EVEN}`];
    for (const source of [
      files.write("scored.csv", ["code,same", ...rows, ""].join("\n")),
      rows.map((row) => `SELECT ${row.replace(",", " AS code, ")} AS same`).join(" UNION ALL "),
    ]) {
      const scored = await openTable(source);
      const scan = await scanFeatures(scored, columns);
      const codes: number[] = [];
      const statuses: number[] = [];
      for await (const { rows, status } of scan.blocks()) {
        codes.push(...rows.values);
        statuses.push(...status);
      }
      const [code] = columns as [Extract<TableColumn, { kind: "categorical" }>];
      expect(codes.map((index) => code.labels[index])).toEqual([ODD, undefined, EVEN]);
      expect(statuses).toEqual([0, 0, 1]);
      expect(scan.unlearned.map(({ column, kind, value }) => [column, kind, value])).toEqual([
        ["code", "unseen", "9007199254740994"],
        ["same", "impossible", EVEN],
      ]);
      await scored.close();
    }
  });
});
