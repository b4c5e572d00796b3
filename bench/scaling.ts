/**
 * Measures how time and memory grow with dimension, width, depth and rows, and compares with the growth that arithmetic
 * predicts. Linux only: memory is read from /proc.
 *
 *     npm run bench:scaling [-- --only PATTERN | --redraw]
 *
 * Writes README.md, a figure for each axis and points.json to bench/scaling. `--only` prints the points of the curves whose
 * names match and writes no files. `--redraw` writes README.md and the figures from points.json without measuring.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { loadavg } from "node:os";
import { parseArgs } from "node:util";
import { svgToPng } from "../src/report/index.ts";
import { AXES, type Axis, curves } from "./scaling/curves.ts";
import { scalingFigure } from "./scaling/figure.ts";
import type { Points } from "./scaling/measured.ts";
import { measurePoint } from "./scaling/measurePoint.ts";
import { readmeText } from "./scaling/readme.ts";
import { environmentOf, warnOfBusyMachine } from "./speed/machine.ts";

interface Measurements {
  readonly environment: Readonly<Record<string, string>>;
  readonly points: Points;
}

const { values } = parseArgs({
  options: { only: { type: "string" }, redraw: { type: "boolean", default: false } },
});
const fileUrl = (file: string) => new URL(`scaling/${file}`, import.meta.url);

const measurements: Measurements = values.redraw
  ? JSON.parse(readFileSync(fileUrl("points.json"), "utf8"))
  : measure(values.only);
if (values.only) {
  console.log(JSON.stringify(measurements.points, null, 1));
} else {
  writeFileSync(fileUrl("points.json"), `${JSON.stringify(measurements, null, 2)}\n`);
  writeFileSync(fileUrl("README.md"), readmeText(measurements.environment, measurements.points));
  for (const axis of Object.keys(AXES) as Axis[]) {
    writeFileSync(fileUrl(`${axis}.png`), await svgToPng(await scalingFigure(axis, measurements.points)));
  }
}

/** Measures the cases of all curves whose names match, each in a separate process, one after the other. */
function measure(pattern = ""): Measurements {
  warnOfBusyMachine();
  const [load] = loadavg();
  // Read before the run, since the commit may change while it runs.
  const { BLAS: _, ...ours } = environmentOf([]);
  const points = curves
    .filter(({ name }) => new RegExp(pattern).test(name))
    .map(({ name, cases }) => {
      console.error(name);
      return [name, cases.map((entry) => measurePoint(entry.case))] as const;
    });
  return {
    environment: { ...ours, "load in the minute before": load.toFixed(1) },
    points: Object.fromEntries(points),
  };
}
