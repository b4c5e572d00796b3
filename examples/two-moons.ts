// Composes a flow from bijections, trains it on two half moons, and plots samples and contours of the exact density.
//
//     npx tsx examples/two-moons.ts [OUTPUT.png]
import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import {
  Actnorm,
  Autoregressive,
  type Bijection,
  Chain,
  Flow,
  fit,
  identityOrder,
  LULinear,
  Random,
  reverseOrder,
  StandardNormal,
} from "pushforward";
import { writeFileAtomically } from "pushforward/files";
import { densityNodes, pairFigure, svgToPng } from "pushforward/report";

const output = process.argv[2] ?? "demo/two-moons.png";

const random = new Random(0);
const data = twoMoons(5000, random.split("training"));
const testRows = twoMoons(2000, random.split("unseen"));

// From data to noise: scale, mix linearly, and transform one coordinate by a spline whose parameters depend on the other. The
// second block transforms the other coordinate. A chain lists its bijections from noise to data.
const fromData: Bijection[] = [identityOrder(2), reverseOrder(2)].flatMap((order, i) => [
  new Actnorm({ features: 2 }),
  new LULinear({ features: 2 }),
  new Autoregressive(
    {
      order,
      transform: { type: "rationalQuadraticSpline", bins: 8, bound: 4 },
      network: { hidden: [48, 48] },
    },
    random.split(i),
  ),
]);
const flow = new Flow(new StandardNormal({ features: 2 }), new Chain(fromData.reverse()));
const size = [...flow.parameters().values()].reduce((sum, { value }) => sum + value.length, 0);
console.log(`${fromData.length} bijections, ${size} parameters`);

const mean = (values: Float64Array) => values.reduce((sum, value) => sum + value, 0) / values.length;
const before = mean(await flow.logProb(testRows));
const { epochs, bestEpoch } = await fit(flow, data, {
  epochs: 40,
  optimizer: { learningRate: 5e-3, weightDecay: 0.1 },
  schedule: { type: "cosine" },
});
const after = mean(await flow.logProb(testRows));
console.log(`${epochs.length} epochs, best after ${bestEpoch}`);
console.log(
  `Mean log-density of test rows: ${before.toFixed(3)} nats before training, ${after.toFixed(3)} nats after.`,
);

const columns = ["x", "y"];
const { x, y, points } = densityNodes({ columns, data });
const svg = await pairFigure({
  columns,
  data,
  samples: await flow.sample(2000, { seed: 1 }),
  logDensity: { x, y, values: await flow.logProb(points) },
  title: "Two moons",
});
mkdirSync(dirname(output), { recursive: true });
await writeFileAtomically(output, await svgToPng(svg));
console.log(`Wrote the figure to ${output}.`);

/** Two interleaving half circles of radius 1 with normal noise of deviation 0.1: [n, 2]. */
function twoMoons(n: number, random: Random): Float64Array {
  const angles = random.split("angles").uniform(new Float64Array(n));
  const rows = random
    .split("noise")
    .normal(new Float64Array(2 * n))
    .map((noise) => 0.1 * noise);
  for (let i = 0; i < n; i++) {
    const side = i % 2 === 0 ? 1 : -1;
    rows[2 * i] += side * (Math.cos(Math.PI * angles[i]) - 0.5);
    rows[2 * i + 1] += side * (Math.sin(Math.PI * angles[i]) - 0.25);
  }
  return rows;
}
