// Regression that gives a density instead of a number: p(y | x) where one x has up to three answers y.
//
//     npx tsx examples/conditional.ts
import { type Flow, fit, forTables, maf, nsf, Random } from "pushforward";

// Bishop's inverse problem (1994, "Mixture density networks"): x is a function of y, with noise; y is not one of x.
const NOISE = 0.05;
const bend = (y: number) => y + 0.3 * Math.sin(2 * Math.PI * y);

const random = new Random(0);
const training = draw(2000, random.split("training"));
const unseen = draw(5000, random.split("unseen"));

// A line with normal errors, by least squares.
const line = leastSquares(training.x, training.y);
const ofLine = mean(
  unseen.y.map((y, i) => logNormal(y, line.intercept + line.slope * unseen.x[i], line.deviation)),
);

// One affine layer on a standard normal is a normal distribution whose mean and deviation a network computes from x.
const normal = await learn(maf(1, { context: 1, transforms: 1 }));
// Splines in its place take any shape.
const spline = await learn(nsf(1, { context: 1, transforms: 2 }));

console.log("Mean log p(y | x) of unseen points, in nats:");
const results = {
  "a line, normal errors": ofLine,
  "a network, normal errors": mean(await normal.logProb(unseen.y, unseen.x)),
  "a conditional flow": mean(await spline.logProb(unseen.y, unseen.x)),
  "the true density": mean(unseen.y.map((y, i) => trueLogDensity(y, unseen.x[i]))),
};
for (const [name, value] of Object.entries(results))
  console.log(`  ${name.padEnd(25)}${value.toFixed(3).padStart(7)}`);

// Answers for x = 0.5: one context for all rows.
const answers = await spline.sample(10_000, { context: [0.5], seed: 1 });
console.log(
  "What y may be at x = 0.5, from 10,000 draws (the line says",
  `${(line.intercept + line.slope * 0.5).toFixed(2)}):`,
);
for (let low = 0; low < 0.95; low += 0.1) {
  const share = answers.filter((y) => y >= low && y < low + 0.1).length / answers.length;
  console.log(`  ${low.toFixed(1)} to ${(low + 0.1).toFixed(1)}  ${"#".repeat(Math.round(100 * share))}`);
}

/** Standardizes inside the model, then learns from the training rows. */
async function learn(flow: Flow): Promise<Flow> {
  const whole = forTables(flow);
  await fit(whole, training.y, {
    context: training.x,
    epochs: 100,
    optimizer: { learningRate: 5e-3 },
    schedule: { type: "cosine" },
  });
  return whole;
}

function draw(n: number, random: Random) {
  const y = random.split("y").uniform(new Float64Array(n));
  const noise = random.split("noise").normal(new Float64Array(n));
  return { y, x: y.map((value, i) => bend(value) + NOISE * noise[i]) };
}

/** log p(y | x) = log p(x | y) - log of its mean over y, which is uniform on [0, 1]. */
function trueLogDensity(y: number, x: number): number {
  const grid = Array.from({ length: 500 }, (_, i) => Math.exp(logNormal(x, bend((i + 0.5) / 500), NOISE)));
  return logNormal(x, bend(y), NOISE) - Math.log(mean(grid));
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
