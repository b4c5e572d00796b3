/**
 * Draws what each registered map does to a Gaussian grid, and how each distribution looks, into docs/images/flows:
 * `npm run gallery`, or `npm run gallery -- planar radial` for some.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { Autoregressive, type Bijection, buildBijection } from "../src/bijections/index.ts";
import type { Description } from "../src/description.ts";
import { buildDistribution, type Distribution } from "../src/distributions/index.ts";
import { Flow } from "../src/flows/index.ts";
import { filled } from "../src/graph/index.ts";
import { trainableParameters } from "../src/nn/module.ts";
import { Random } from "../src/random/index.ts";
import { svgToPng } from "../src/report/png.ts";
import { openCanvas } from "../src/report/sheet.ts";
import { style } from "../src/report/style.ts";
import { compile, type Floats } from "../src/runtime/index.ts";
import { bijectionExamples } from "../test/bijections/examples.ts";
import { scalarTransformExamples } from "../test/bijections/scalarTransformExamples.ts";
import { distributionExamples } from "../test/distributions/examples.ts";

const FOLDER = "docs/images/flows";
const SIZE = 280;
const LINES = 17;
const STEPS = 121;
const DOTS = 600;
const REACH = 2.5;

interface Subject {
  readonly type: string;
  draw(): Promise<string>;
}

/** The first example that has no context and no binary outputs; with tails within the picture, and several components. */
function exampleOf(examples: readonly Description[]): Description {
  const [first] = examples;
  if (first.type === "tails") return { ...first, start: 1 };
  if (first.type === "gaussianMixture") return { ...first, components: 4 };
  return examples.find((e) => !/"context":[1-9]|bernoulli/.test(JSON.stringify(e))) ?? first;
}

const subjects = (): Subject[] => [
  ...Object.values(bijectionExamples).map((examples) => {
    const example = exampleOf(examples(2));
    return mapOf(example.type, () => buildBijection(example, new Random(1)));
  }),
  ...Object.values(scalarTransformExamples).map((examples) => {
    const [transform] = examples(2);
    const options = { order: [0, 1], transform: transform as never, network: { hidden: [16] } };
    return mapOf(transform.type, () => new Autoregressive(options, new Random(1)));
  }),
  ...Object.values(distributionExamples).map((examples): Subject => {
    const example = exampleOf(examples(2));
    const build = () => perturbed(buildDistribution(example, new Random(1)), example.type);
    return { type: example.type, draw: () => drawDistribution(build()) };
  }),
];

const mapOf = (type: string, build: () => Bijection): Subject => ({
  type,
  draw: () => drawMap(perturbed(build(), type)),
});

/** Less for those that bend more. */
const AMOUNTS: Readonly<Record<string, number>> = { deepSigmoidal: 0.15, sumOfSquares: 0.3 };

/** With its learned numbers away from where they start, by an amount that the name of the kind draws. */
function perturbed<T extends object>(part: T, type: string): T {
  const random = new Random(7).split(type);
  for (const [name, parameter] of trainableParameters(part))
    random
      .split(name)
      .normal(new Float64Array(parameter.value.length))
      .forEach((v, i) => {
        parameter.value[i] += (AMOUNTS[type] ?? 0.5) * v;
      });
  return part;
}

async function drawMap(bijection: Bijection): Promise<string> {
  const { lines, dots } = latent();
  const given = bijection.context > 0 ? filled(0, ["N", bijection.context]) : undefined;
  const run = compile((z) => bijection.forward(z, given).value, [["N", 2]], { precision: "float64" });
  const through = async (rows: Float64Array) => Array.from(await run(rows));
  const after = { lines: await Promise.all(lines.map(through)), dots: await through(dots) };
  await run.release();
  return sideBySide([
    { title: "z", lines: lines.map((l) => [...l]), dots: [...dots] },
    { title: "x", ...after },
  ]);
}

function latent() {
  const at = (i: number, count: number) => REACH * ((2 * i) / (count - 1) - 1);
  const lines = [0, 1].flatMap((axis) =>
    Array.from({ length: LINES }, (_, l) =>
      Float64Array.from({ length: 2 * STEPS }, (_, k) =>
        k % 2 === axis ? at(l, LINES) : at(Math.floor(k / 2), STEPS),
      ),
    ),
  );
  return { lines, dots: new Random(3).normal(new Float64Array(2 * DOTS)) };
}

async function drawDistribution(distribution: Distribution): Promise<string> {
  const flow = new Flow(distribution);
  const context = flow.context > 0 ? new Array(flow.context).fill(0) : undefined;
  const samples = await flow.sample(4 * DOTS, { seed: 2, context });
  const [low, high] = rangeOf(samples);
  const side = 80;
  const width = (high - low) / side;
  const nodes = Float64Array.from({ length: 2 * side * side }, (_, k) => {
    const i = Math.floor(k / 2);
    const node = low + width * ((k % 2 === 0 ? i % side : Math.floor(i / side)) + 0.5);
    // Where a point mass lies in a cell, it shows.
    return Math.abs(node) < width / 2 ? 0 : node;
  });
  const density = (await flow.logProb(nodes, context)).map(Math.exp);
  const { Plot, document } = await openCanvas();
  const frame = { document, width: SIZE, height: SIZE, margin: 12, x: axis(low, high), y: axis(low, high) };
  const values = Array.from(density, (value, i) => ({ x: nodes[2 * i], y: nodes[2 * i + 1], value }));
  return placed([
    {
      title: "density",
      svg: Plot.plot({
        ...frame,
        color: { scheme: "blues" },
        marks: [
          Plot.rect(values, {
            x1: ({ x }) => x - width / 2,
            x2: ({ x }) => x + width / 2,
            y1: ({ y }) => y - width / 2,
            y2: ({ y }) => y + width / 2,
            fill: "value",
          }),
          Plot.frame({ stroke: style.rule }),
        ],
      }),
    },
    {
      title: "samples",
      svg: Plot.plot({
        ...frame,
        marks: [
          Plot.dot(within(pairs([...samples]), low, high), {
            r: 1.1,
            fill: style.model,
            fillOpacity: 0.5,
            clip: true,
          }),
          Plot.frame({ stroke: style.rule }),
        ],
      }),
    },
  ]);
}

interface Side {
  readonly title: string;
  readonly lines: readonly number[][];
  readonly dots: readonly number[];
}

async function sideBySide(sides: readonly Side[]): Promise<string> {
  const { Plot, document } = await openCanvas();
  return placed(
    sides.map(({ title, lines, dots }) => {
      const [low, high] = rangeOf(Float64Array.from([...dots, ...lines.flat()]));
      return {
        title,
        svg: Plot.plot({
          document,
          width: SIZE,
          height: SIZE,
          margin: 12,
          x: axis(low, high),
          y: axis(low, high),
          marks: [
            ...lines.map((line, i) =>
              Plot.line(pairs(line), {
                stroke: i < LINES ? style.data : style.model,
                strokeWidth: 0.9,
                strokeOpacity: 0.75,
                clip: true,
              }),
            ),
            Plot.dot(within(pairs(dots), low, high), {
              r: 0.9,
              fill: style.ink,
              fillOpacity: 0.55,
              clip: true,
            }),
            Plot.frame({ stroke: style.rule }),
          ],
        }),
      };
    }),
  );
}

const pairs = (rows: readonly number[]): [number, number][] =>
  Array.from({ length: rows.length / 2 }, (_, i) => [rows[2 * i], rows[2 * i + 1]]);

/** Numbers of 10^6 pixels are more than a renderer draws. */
const within = (points: readonly [number, number][], low: number, high: number): [number, number][] =>
  points.filter((point) => point.every((v) => v > low && v < high));

const axis = (low: number, high: number) => ({ domain: [low, high], axis: null });

/** As far out again as the middle nine tenths reach, or as all do: heavy tails would leave no picture. */
function rangeOf(values: Floats): [number, number] {
  const sorted = Float64Array.from(values).sort();
  const [low, high] = [0.05, 0.95].map((q) => sorted[Math.floor(q * (sorted.length - 1))]);
  const room = 0.5 * (high - low);
  const edge = 0.04 * (high - low) + 1e-3;
  return [Math.max(low - room, sorted[0]) - edge, Math.min(high + room, sorted[sorted.length - 1]) + edge];
}

function placed(panels: readonly { title: string; svg: Element }[]): string {
  const parts = panels.map(({ title, svg }, i) => {
    svg.setAttribute("x", String(i * SIZE));
    svg.setAttribute("y", "18");
    const middle = i * SIZE + SIZE / 2;
    return `<text x="${middle}" y="20" text-anchor="middle" font-family="${style.fontFamily}" font-size="13" fill="${style.muted}">${title}</text>${svg.outerHTML}`;
  });
  const [width, height] = [panels.length * SIZE, SIZE + 20];
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}"><rect width="${width}" height="${height}" fill="white"/>${parts.join("")}</svg>`;
}

mkdirSync(FOLDER, { recursive: true });
const chosen = process.argv.slice(2);
for (const { type, draw } of subjects()) {
  if (chosen.length > 0 && !chosen.includes(type)) continue;
  writeFileSync(`${FOLDER}/${type}.png`, await svgToPng(await draw(), { scale: 1 }));
  console.log(type);
}
