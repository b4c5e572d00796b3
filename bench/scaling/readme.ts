import { digits, table } from "../speed/table.ts";
import { AXES, type Axis, BATCH, type Curve, curves, ROWS, rowsOf, STANDARD } from "./curves.ts";
import { type Exponents, exponentsOf, type Points } from "./measured.ts";

const FLOWS: Readonly<Record<string, string>> = { maf: "MAF", realnvp: "RealNVP" };
const JOBS = { train: "training step", logProb: "log-density", sample: "sampling" } as const;

const nameOf = ({ flow, job }: Curve): string => `${FLOWS[flow]}, ${JOBS[job]}`;

/** The text of bench/scaling/README.md. */
export const readmeText = (
  circumstances: Readonly<Record<string, string>>,
  points: Points,
): string => `# Scaling

Written by \`npm run bench:scaling\`: how time and memory grow, beside how they should.

${table(["", "value"], Object.entries(circumstances))}

What an axis does not change is ${STANDARD.dim} features, ${STANDARD.transforms} transforms, two hidden layers of ${STANDARD.width} units, ${BATCH} rows for a training
step and ${ROWS.toLocaleString("en-US")} rows to score or draw, on two threads. Time is the median of repeats (of a training step: between the batches of
\`fit\`). Memory is how far the first run in a fresh process, in which the graph and its session are made, raises the process
above what it held with the runtime loaded (Linux's VmHWM); rows that are scored or drawn, their noise and their results are not
counted. Below some 10 MiB it is mostly the garbage of JavaScript, which comes and goes. No curve is cut: making the session that
samples MAF takes longest, and grows with D as the graph does (first run, below).

**Should** is the exponent far out, by arithmetic; **counted** that of the operations in products with weights over the same points,
which are not far out; **has** the slope of a least-squares line through the logarithms of the measured points, over the upper half
of each curve.

${(Object.keys(AXES) as Axis[]).map((axis) => section(axis, points)).join("\n\n")}

## All points

The time of the first run has the making of the session in it.

${pointsTable(points)}
`;

const section = (axis: Axis, points: Points): string => {
  const exponents = exponentsOf(points).filter(({ curve }) => curve.axis === axis);
  return `## ${AXES[axis].title}

![Time and memory](${axis}.png)

${exponentTable(exponents)}

${reasons(exponents)}`;
};

const exponentTable = (exponents: readonly Exponents[]): string =>
  table(
    ["curve", "of", "over", "should", "counted", "has"],
    exponents.map(({ curve, quantity, range: ends, should, counted, has }) => [
      nameOf(curve),
      quantity,
      `${ends[0].toLocaleString("en-US")} to ${ends[1].toLocaleString("en-US")}`,
      `${should.exponent}`,
      counted === undefined ? "" : counted.toFixed(2),
      has.toFixed(2),
    ]),
  );

/** One line for each reason, with the curves that share it. */
function reasons(exponents: readonly Exponents[]): string {
  const keyOf = ({ should, quantity }: Exponents) => `${quantity}: ${should.why}`;
  return [...new Set(exponents.map(keyOf))]
    .map((key) => exponents.filter((each) => keyOf(each) === key))
    .map((group) => {
      const [{ quantity, should }] = group;
      const all = group.length === exponents.length / 2;
      const whose = all ? "" : ` (${group.map(({ curve }) => nameOf(curve)).join("; ")})`;
      return `- ${quantity === "time" ? "Time" : "Memory"}${whose}: ${should.why}`;
    })
    .join("\n");
}

const pointsTable = (points: Points): string =>
  table(
    ["curve", "at", "median ms", "fastest ms", "repeats", "µs a row", "first run ms", "MiB"],
    curves.flatMap((curve) =>
      curve.cases.map(({ x, case: benchCase }, i) => {
        const { medianMs, fastestMs, repeats, startMs, mebibytes } = points[curve.name][i];
        return [
          `${curve.axis}: ${nameOf(curve)}`,
          x.toLocaleString("en-US"),
          digits(medianMs),
          digits(fastestMs),
          `${repeats}`,
          digits((1000 * medianMs) / rowsOf(benchCase)),
          startMs.toFixed(0),
          mebibytes.toFixed(1),
        ];
      }),
    ),
  );
