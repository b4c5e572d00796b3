/**
 * Draws a picture of each registered bijection (its image of a grid and of normal samples) and of each distribution (density
 * and samples) to docs/images/flows: `npm run gallery`, or `npm run gallery -- planar radial` for some.
 */
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { Autoregressive, type Bijection, buildBijection } from "../src/bijections/index.ts";
import type { Distribution } from "../src/distributions/index.ts";
import { Flow } from "../src/flows/index.ts";
import { filled } from "../src/graph/index.ts";
import { trainableParameters } from "../src/nn/module.ts";
import type { Description } from "../src/parts/description.ts";
import { Random } from "../src/random/index.ts";
import { svgToPng } from "../src/report/png.ts";
import { openCanvas } from "../src/report/sheet.ts";
import { style } from "../src/report/style.ts";
import { compile, type Floats } from "../src/runtime/index.ts";
import { buildDistribution } from "../src/tables/model/index.ts";
import { bijectionExamples } from "../test/bijections/examples.ts";
import { scalarTransformExamples } from "../test/bijections/scalarTransformExamples.ts";
import { distributionExamples } from "../test/distributions/examples.ts";

const OUTPUT_FOLDER = "docs/images/flows";
const PANEL_SIZE = 280;
const LINES_PER_AXIS = 17;
const POINTS_PER_LINE = 121;
const DOT_COUNT = 600;
const HALF_WIDTH = 2.5;

interface Subject {
  readonly type: string;
  draw(): Promise<string>;
}

/** The first example without context and binary outputs; tails start inside the picture, and mixtures have 4 components. */
function exampleOf(examples: readonly Description[]): Description {
  const [first] = examples;
  if (first.type === "tails") return { ...first, start: 1 };
  if (first.type === "gaussianMixture") return { ...first, components: 4 };
  return examples.find((e) => !/"context":[1-9]|bernoulli/.test(JSON.stringify(e))) ?? first;
}

/** Parts of images have no page of their own: a picture of two numbers does not show what they do. */
const withPage = <T>(examples: Readonly<Record<string, T>>): T[] =>
  Object.entries(examples).flatMap(([type, ofType]) => (existsSync(`docs/flows/${type}.md`) ? [ofType] : []));

const subjects = (): Subject[] => [
  ...withPage(bijectionExamples).map((examples) => {
    const example = exampleOf(examples(2));
    return mapSubject(example.type, () => buildBijection(example, new Random(1)));
  }),
  ...Object.values(scalarTransformExamples).map((examples) => {
    const [transform] = examples(2);
    const options = { order: [0, 1], transform: transform as never, network: { hidden: [16] } };
    return mapSubject(transform.type, () => new Autoregressive(options, new Random(1)));
  }),
  ...withPage(distributionExamples).map((examples): Subject => {
    const example = exampleOf(examples(2));
    const build = () => perturb(buildDistribution(example, new Random(1)), example.type);
    return { type: example.type, draw: () => drawDistribution(build()) };
  }),
];

const mapSubject = (type: string, build: () => Bijection): Subject => ({
  type,
  draw: () => drawMap(perturb(build(), type)),
});

/** Scale of the perturbation for types that are sensitive to it; default 0.5. */
const PERTURBATION_SCALES: Readonly<Record<string, number>> = { deepSigmoidal: 0.15, sumOfSquares: 0.3 };

/** Adds normal noise to all trainable parameters, since most parts are initially the identity. The type seeds the noise. */
function perturb<T extends object>(part: T, type: string): T {
  const random = new Random(7).split(type);
  for (const [name, parameter] of trainableParameters(part))
    random
      .split(name)
      .normal(new Float64Array(parameter.value.length))
      .forEach((v, i) => {
        parameter.value[i] += (PERTURBATION_SCALES[type] ?? 0.5) * v;
      });
  return part;
}

async function drawMap(bijection: Bijection): Promise<string> {
  const { lines, dots } = latentGrid();
  const context = bijection.context > 0 ? filled(0, ["N", bijection.context]) : undefined;
  const forward = compile((z) => bijection.forward(z, context).value, [["N", 2]], { precision: "float64" });
  const transform = async (rows: Float64Array) => Array.from(await forward(rows));
  const image = { lines: await Promise.all(lines.map(transform)), dots: await transform(dots) };
  await forward.release();
  return mapPanels([
    { title: "z", lines: lines.map((line) => [...line]), dots: [...dots] },
    { title: "x", ...image },
  ]);
}

function latentGrid() {
  const coordinate = (i: number, count: number) => HALF_WIDTH * ((2 * i) / (count - 1) - 1);
  const lines = [0, 1].flatMap((axis) =>
    Array.from({ length: LINES_PER_AXIS }, (_, l) =>
      Float64Array.from({ length: 2 * POINTS_PER_LINE }, (_, k) =>
        k % 2 === axis ? coordinate(l, LINES_PER_AXIS) : coordinate(Math.floor(k / 2), POINTS_PER_LINE),
      ),
    ),
  );
  return { lines, dots: new Random(3).normal(new Float64Array(2 * DOT_COUNT)) };
}

async function drawDistribution(distribution: Distribution): Promise<string> {
  const flow = new Flow(distribution);
  const context = flow.context > 0 ? new Array(flow.context).fill(0) : undefined;
  const samples = await flow.sample(4 * DOT_COUNT, { seed: 2, context });
  const [low, high] = plotRange(samples);
  const side = 80;
  const width = (high - low) / side;
  const nodes = Float64Array.from({ length: 2 * side * side }, (_, k) => {
    const i = Math.floor(k / 2);
    const node = low + width * ((k % 2 === 0 ? i % side : Math.floor(i / side)) + 0.5);
    // Nodes near 0 are moved to 0, so that a point mass at 0 is visible.
    return Math.abs(node) < width / 2 ? 0 : node;
  });
  const density = (await flow.logProb(nodes, context)).map(Math.exp);
  const { Plot, document } = await openCanvas();
  const frame = {
    document,
    width: PANEL_SIZE,
    height: PANEL_SIZE,
    margin: 12,
    x: axis(low, high),
    y: axis(low, high),
  };
  const values = Array.from(density, (value, i) => ({ x: nodes[2 * i], y: nodes[2 * i + 1], value }));
  return joinPanels([
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
          Plot.dot(visiblePoints(pairs([...samples]), low, high), {
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

interface MapPanel {
  readonly title: string;
  readonly lines: readonly number[][];
  readonly dots: readonly number[];
}

async function mapPanels(sides: readonly MapPanel[]): Promise<string> {
  const { Plot, document } = await openCanvas();
  return joinPanels(
    sides.map(({ title, lines, dots }) => {
      const [low, high] = plotRange(Float64Array.from([...dots, ...lines.flat()]));
      return {
        title,
        svg: Plot.plot({
          document,
          width: PANEL_SIZE,
          height: PANEL_SIZE,
          margin: 12,
          x: axis(low, high),
          y: axis(low, high),
          marks: [
            ...lines.map((line, i) =>
              Plot.line(pairs(line), {
                stroke: i < LINES_PER_AXIS ? style.data : style.model,
                strokeWidth: 0.9,
                strokeOpacity: 0.75,
                clip: true,
              }),
            ),
            Plot.dot(visiblePoints(pairs(dots), low, high), {
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

/** The points inside the picture: the renderer fails for points that are millions of pixels away. */
const visiblePoints = (points: readonly [number, number][], low: number, high: number): [number, number][] =>
  points.filter((point) => point.every((v) => v > low && v < high));

const axis = (low: number, high: number) => ({ domain: [low, high], axis: null });

/**
 * Range of the axes: the range of all values, but at most half as wide again on each side as the middle nine tenths, since
 * heavy tails would shrink the rest to a point.
 */
function plotRange(values: Floats): [number, number] {
  const sorted = Float64Array.from(values).sort();
  const [low, high] = [0.05, 0.95].map((q) => sorted[Math.floor(q * (sorted.length - 1))]);
  const margin = 0.5 * (high - low);
  const edge = 0.04 * (high - low) + 1e-3;
  return [
    Math.max(low - margin, sorted[0]) - edge,
    Math.min(high + margin, sorted[sorted.length - 1]) + edge,
  ];
}

function joinPanels(panels: readonly { title: string; svg: Element }[]): string {
  const parts = panels.map(({ title, svg }, i) => {
    svg.setAttribute("x", String(i * PANEL_SIZE));
    svg.setAttribute("y", "18");
    const middle = i * PANEL_SIZE + PANEL_SIZE / 2;
    return `<text x="${middle}" y="20" text-anchor="middle" font-family="${style.fontFamily}" font-size="13" fill="${style.muted}">${title}</text>${svg.outerHTML}`;
  });
  const [width, height] = [panels.length * PANEL_SIZE, PANEL_SIZE + 20];
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}"><rect width="${width}" height="${height}" fill="white"/>${parts.join("")}</svg>`;
}

mkdirSync(OUTPUT_FOLDER, { recursive: true });
const chosen = process.argv.slice(2);
for (const { type, draw } of subjects()) {
  if (chosen.length > 0 && !chosen.includes(type)) continue;
  writeFileSync(`${OUTPUT_FOLDER}/${type}.png`, await svgToPng(await draw(), { scale: 1 }));
  console.log(type);
}
