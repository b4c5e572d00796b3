/**
 * How time and memory grow with dimension, width, depth and rows, and how they should. Linux only: memory is read from /proc.
 *
 *     npm run bench:scaling [-- --only PATTERN | --redraw]
 *
 * Writes bench/scaling/: README.md, a figure for each axis, and points.json. `--only` prints the points of some curves and
 * writes nothing; `--redraw` measures nothing and writes the pages anew from points.json.
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

interface Run {
  readonly circumstances: Readonly<Record<string, string>>;
  readonly points: Points;
}

const { values } = parseArgs({
  options: { only: { type: "string" }, redraw: { type: "boolean", default: false } },
});
const place = (file: string) => new URL(`scaling/${file}`, import.meta.url);

const run: Run = values.redraw
  ? JSON.parse(readFileSync(place("points.json"), "utf8"))
  : measure(values.only);
if (values.only) {
  console.log(JSON.stringify(run.points, null, 1));
} else {
  writeFileSync(place("points.json"), `${JSON.stringify(run, null, 2)}\n`);
  writeFileSync(place("README.md"), readmeText(run.circumstances, run.points));
  for (const axis of Object.keys(AXES) as Axis[]) {
    writeFileSync(place(`${axis}.png`), await svgToPng(await scalingFigure(axis, run.points)));
  }
}

/** Each case in a process of its own, one after the other. */
function measure(pattern = ""): Run {
  warnOfBusyMachine();
  const [load] = loadavg();
  const points = curves
    .filter(({ name }) => new RegExp(pattern).test(name))
    .map(({ name, cases }) => {
      console.error(name);
      return [name, cases.map((entry) => measurePoint(entry.case))] as const;
    });
  const { BLAS: _, ...ours } = environmentOf([]);
  return {
    circumstances: { ...ours, "load in the minute before": load.toFixed(1) },
    points: Object.fromEntries(points),
  };
}
