import { digits, table } from "../speed/table.ts";
import { AXES, type Axis, BATCH_ROWS, type Curve, curves, rowsOf, SCORED_ROWS, STANDARD } from "./curves.ts";
import { type Exponents, exponentsOf, type Points } from "./measured.ts";

const FLOWS: Readonly<Record<string, string>> = { maf: "MAF", realnvp: "RealNVP" };
const JOBS = { train: "training step", logProb: "log-density", sample: "sampling" } as const;

const nameOf = ({ flow, job }: Curve): string => `${FLOWS[flow]}, ${JOBS[job]}`;

/** The text of bench/scaling/README.md. */
export const readmeText = (
  environment: Readonly<Record<string, string>>,
  points: Points,
): string => `# Scaling

Written by \`npm run bench:scaling\`: how time and memory grow, and how they are expected to grow.

${table(["", "value"], Object.entries(environment))}

Sizes that do not vary are ${STANDARD.dim} features, ${STANDARD.transforms} transforms, two hidden layers of ${STANDARD.width} units, ${BATCH_ROWS} rows for a training step and
${SCORED_ROWS.toLocaleString("en-US")} rows to score or draw, on two threads. Time is the median over repeats (of a training step: between the batches of \`fit\`).
Memory is the increase of the process's peak memory (Linux's VmHWM) in the first run, which builds the graph and creates the session,
over the memory after the runtime was loaded; rows, noise and results are not counted. Less than about 10 MiB is mostly JavaScript
garbage and varies. All sizes were measured. The session that samples MAF takes longest to create, in proportion to D as its graph
grows (first run, below).

**Expected** is the exponent for large sizes, by arithmetic; **counted** is that of the operations in products with weights over the
measured sizes, which are not that large; **measured** is the slope of the least-squares line through the logarithms of the measured
points, over the upper half of each curve.

${(Object.keys(AXES) as Axis[]).map((axis) => section(axis, points)).join("\n\n")}

## All points

The time of the first run includes the creation of the session.

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
    ["curve", "quantity", "range", "expected", "counted", "measured"],
    exponents.map(({ curve, quantity, range, expected, countedFlops, measured }) => [
      nameOf(curve),
      quantity,
      `${range[0].toLocaleString("en-US")} to ${range[1].toLocaleString("en-US")}`,
      `${expected.exponent}`,
      countedFlops === undefined ? "" : countedFlops.toFixed(2),
      measured.toFixed(2),
    ]),
  );

/** One line for each reason, which names the curves that share it. */
function reasons(exponents: readonly Exponents[]): string {
  const keyOf = ({ expected, quantity }: Exponents) => `${quantity}: ${expected.reason}`;
  return [...new Set(exponents.map(keyOf))]
    .map((key) => exponents.filter((each) => keyOf(each) === key))
    .map((group) => {
      const [{ quantity, expected }] = group;
      const sharedByAll = group.length === exponents.length / 2;
      const curveNames = sharedByAll ? "" : ` (${group.map(({ curve }) => nameOf(curve)).join("; ")})`;
      return `- ${quantity === "time" ? "Time" : "Memory"}${curveNames}: ${expected.reason}`;
    })
    .join("\n");
}

const pointsTable = (points: Points): string =>
  table(
    ["curve", "size", "median ms", "fastest ms", "repeats", "µs per row", "first run ms", "MiB"],
    curves.flatMap((curve) =>
      curve.cases.map(({ x, case: benchCase }, i) => {
        const { medianMs, fastestMs, repeats, firstRunMs, mebibytes } = points[curve.name][i];
        return [
          `${curve.axis}: ${nameOf(curve)}`,
          x.toLocaleString("en-US"),
          digits(medianMs),
          digits(fastestMs),
          `${repeats}`,
          digits((1000 * medianMs) / rowsOf(benchCase)),
          firstRunMs.toFixed(0),
          mebibytes.toFixed(1),
        ];
      }),
    ),
  );
