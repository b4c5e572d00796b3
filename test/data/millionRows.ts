/**
 * Writes, opens, scores and writes a table of a million rows in a process of its own; prints the most memory that it
 * took, and for each output: rows, rows in their place with the score that belongs to them, rows without a score.
 */
import { openTable, readRows, type Table, writeRows, writeScored } from "../../src/tables/io/index.ts";
import { scanRows } from "../../src/tables/io/tableRows.ts";
import { peakMemory } from "../peakMemory.ts";

const ROWS = 1_000_000;
const base = process.argv[2]!;

/** The number of the row, a number that is missing in every 250th row, and one more. */
function* rows() {
  const blockRows = 10_000;
  for (let first = 0; first < ROWS; first += blockRows) {
    yield Float64Array.from({ length: 3 * blockRows }, (_, i) => {
      const row = first + Math.floor(i / 3);
      if (i % 3 === 0) return row;
      return i % 3 === 1 && row % 250 === 249 ? Number.NaN : row / 8;
    });
  }
}

async function* scores(table: Table) {
  for await (const { start, total, complete } of scanRows(table, ["row", "x"])) {
    const scores = new Float64Array(total).fill(Number.NaN);
    for (const [i, number] of complete.rowNumbers.entries())
      scores[number - start] = -2 * complete.values[2 * i]!;
    yield scores;
  }
}

const outputs: Record<string, number[]> = {};
for (const ending of ["csv", "parquet"]) {
  const path = `${base}.${ending}`;
  await writeRows(["row", "x", "y"], rows(), path);
  const table = await openTable(path);
  await writeScored(table, scores(table), `${path}.scored.${ending}`);
  await table.close();
  const check = await openTable(`SELECT count(*) AS n, count_if(log_density IS NULL) AS missing, count_if(
    row = number AND log_density IS NOT DISTINCT FROM CASE WHEN x IS NOT NULL THEN -2 * row END) AS fitting
    FROM (SELECT *, row_number() OVER () - 1 AS number FROM '${path}.scored.${ending}')`);
  const { values } = await readRows(check, ["n", "fitting", "missing"]);
  outputs[ending] = [...values];
  await check.close();
}
console.log(JSON.stringify({ megabytes: peakMemory(), outputs }));
