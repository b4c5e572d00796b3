// Conditional density estimation: p(y | x) has up to three modes for one x, which regression cannot represent.
//
//     npx tsx examples/conditional.ts
import { type Flow, fit, forTables, maf, nsf, Random } from "pushforward";

// The inverse problem of Bishop (1994, "Mixture density networks"): x is a function of y with noise, but y is not a function of x.
const NOISE = 0.05;
const curve = (y: number) => y + 0.3 * Math.sin(2 * Math.PI * y);

const random = new Random(0);
const training = draw(2000, random.split("training"));
const testRows = draw(5000, random.split("unseen"));

// Linear regression with normal errors.
const line = leastSquares(training.x, training.y);
const lineLogLikelihood = mean(
  testRows.y.map((y, i) => logNormal(y, line.intercept + line.slope * testRows.x[i], line.deviation)),
);

// One affine layer on a standard normal: a normal distribution whose mean and deviation are computed from x by a network.
const normal = await learn(maf(1, { context: 1, transforms: 1 }));
// Spline layers can represent any density.
const spline = await learn(nsf(1, { context: 1, transforms: 2 }));

console.log("Mean log p(y | x) of test rows in nats:");
const results = {
  "a line, normal errors": lineLogLikelihood,
  "a network, normal errors": mean(await normal.logProb(testRows.y, testRows.x)),
  "a conditional flow": mean(await spline.logProb(testRows.y, testRows.x)),
  "the true density": mean(testRows.y.map((y, i) => trueLogDensity(y, testRows.x[i]))),
};
for (const [name, value] of Object.entries(results))
  console.log(`  ${name.padEnd(25)}${value.toFixed(3).padStart(7)}`);

// Samples of p(y | x = 0.5), with one context for all rows.
const samples = await spline.sample(10_000, { context: [0.5], seed: 1 });
console.log(
  "Histogram of 10,000 samples of y at x = 0.5 (linear regression predicts",
  `${(line.intercept + line.slope * 0.5).toFixed(2)}):`,
);
for (let low = 0; low < 0.95; low += 0.1) {
  const share = samples.filter((y) => y >= low && y < low + 0.1).length / samples.length;
  console.log(`  ${low.toFixed(1)} to ${(low + 0.1).toFixed(1)}  ${"#".repeat(Math.round(100 * share))}`);
}

/** Adds a standardization to the flow and trains it on the training rows. */
async function learn(flow: Flow): Promise<Flow> {
  const standardized = forTables(flow);
  await fit(standardized, training.y, {
    context: training.x,
    epochs: 100,
    optimizer: { learningRate: 5e-3 },
    schedule: { type: "cosine" },
  });
  return standardized;
}

function draw(n: number, random: Random) {
  const y = random.split("y").uniform(new Float64Array(n));
  const noise = random.split("noise").normal(new Float64Array(n));
  return { y, x: y.map((value, i) => curve(value) + NOISE * noise[i]) };
}

/** log p(y | x) = log p(x | y) - log E_y p(x | y) with y uniform on [0, 1]. */
function trueLogDensity(y: number, x: number): number {
  const grid = Array.from({ length: 500 }, (_, i) => Math.exp(logNormal(x, curve((i + 0.5) / 500), NOISE)));
  return logNormal(x, curve(y), NOISE) - Math.log(mean(grid));
}

function leastSquares(x: Float64Array, y: Float64Array) {
  const [mx, my] = [mean(x), mean(y)];
  const slope =
    mean(x.map((value, i) => (value - mx) * (y[i] - my))) / mean(x.map((value) => (value - mx) ** 2));
  const intercept = my - slope * mx;
  const deviation = Math.sqrt(mean(y.map((value, i) => (value - intercept - slope * x[i]) ** 2)));
  return { slope, intercept, deviation };
}

function logNormal(value: number, center: number, deviation: number): number {
  return -0.5 * ((value - center) / deviation) ** 2 - Math.log(deviation) - 0.5 * Math.log(2 * Math.PI);
}

function mean(values: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i];
  return sum / values.length;
}
