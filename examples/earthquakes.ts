// Learns the density of a week of earthquakes, prints the most unusual ones, and draws new earthquakes from the model.
//
//     npx tsx examples/earthquakes.ts [OUTPUT.csv]
import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { fitFlows } from "pushforward";
import { openTable, readRows, writeRows } from "pushforward/data";

const output = process.argv[2] ?? "demo/another-week.csv";

const table = await openTable("examples/data/earthquakes.csv");
const quakes = await readRows(table, ["lon", "lat", "depth_km", "mag"]);
await table.close();
console.log(`${quakes.rows} earthquakes: ${quakes.columns.join(", ")}`);

const { flow, name, validationLogDensity } = await fitFlows(quakes, { maxMinutes: 0.12 });
console.log(
  `Mean log-density of held-out rows under the ${name} flow: ${validationLogDensity.toFixed(2)} nats.`,
);

// log p of each row in nats, where p is a density per degree, degree, kilometre and magnitude. Low values are unusual.
const logDensity = await flow.logProb(quakes.values);
const unusual = Array.from(logDensity.keys()).sort((a, b) => logDensity[a] - logDensity[b]);
console.log("The five most unusual:");
for (const row of unusual.slice(0, 5)) {
  const [lon, lat, depth, magnitude] = quakes.values.subarray(4 * row, 4 * row + 4);
  const where = `${Math.abs(lat).toFixed(1)} ${lat < 0 ? "S" : "N"}, ${Math.abs(lon).toFixed(1)} ${lon < 0 ? "W" : "E"}`;
  console.log(
    `  log p = ${logDensity[row].toFixed(1)}: magnitude ${magnitude}, ${depth} km below ${where} (row ${row + 1})`,
  );
}

mkdirSync(dirname(output), { recursive: true });
await writeRows(quakes.columns, [await flow.sample(quakes.rows, { seed: 1 })], output);
console.log(`Wrote ${quakes.rows} earthquakes drawn from the model to ${output}.`);
