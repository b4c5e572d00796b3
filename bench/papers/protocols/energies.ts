import { DiagonalNormal } from "../../../src/distributions/index.ts";
import { type Flow, nice, nsf, planarFlow, radialFlow } from "../../../src/flows/index.ts";
import { svgToPng } from "../../../src/report/index.ts";
import { compile } from "../../../src/runtime/compile.ts";
import { type FitDensityOptions, fitDensity } from "../../../src/train/index.ts";
import { table } from "../../speed/table.ts";
import { type DensityRow, densityGrid } from "../densityGrid.ts";
import { energies as all, EDGE, type Energy } from "../energies.ts";
import { divergence, logNormalizer, squareNodes } from "../planeQuadrature.ts";

interface Model {
  readonly name: string;
  build(seed: number): Flow;
}

const base = () => new DiagonalNormal({ features: 2 });
const networks = { hidden: [64, 64] };

const planars = [2, 8, 32].map((transforms) => ({
  name: `planar, K = ${transforms}`,
  build: (seed: number) => planarFlow(2, { closedForm: "sampling", transforms, base: base(), seed }),
}));

const models: readonly Model[] = [
  ...planars,
  { name: "radial, K = 32", build: (seed) => radialFlow(2, { transforms: 32, base: base(), seed }) },
  { name: "NICE, 8 layers", build: (seed) => nice(2, { transforms: 8, ...networks, seed }) },
  {
    name: "NSF, 4 layers",
    build: (seed) => nsf(2, { kind: "coupling", transforms: 4, ...networks, seed }),
  },
];

interface Settings {
  readonly seeds: number;
  readonly fit: FitDensityOptions;
}

const full: Settings = {
  seeds: 3,
  fit: { steps: 4000, annealing: { start: 0.01, steps: 2000 } },
};
const quick: Settings = { seeds: 1, fit: { steps: 600, annealing: { start: 0.01, steps: 300 } } };

/** What a run is given: part of what protocols of papers get. */
interface Run {
  readonly seed: number;
  readonly quick: boolean;
  /** Pairs of an energy and a model, such as `U3 planar, K = 8`, that it is limited to. */
  readonly only: RegExp;
  /** Most minutes of a single training. */
  readonly minutes?: number;
  log(line: string): void;
}

const NODES = 160;

/** How near planar flows come to the energies that they were introduced with, beside later flows. */
export const energies = {
  name: "energies",
  about:
    "Energies of the plane, Rezende and Mohamed 2015, section 6.1: KL(q || p) in nats of flows that are fitted to them, by quadrature; mean over the seeds ± standard error.",
  readsData: false,
  async run(run: Run) {
    const { seeds, fit } = run.quick ? quick : full;
    const scores: Record<string, Record<string, number[]>> = {};
    const pictures: DensityRow[] = [];
    for (const [name, energy] of Object.entries(all)) {
      const chosen = models.filter((model) => run.only.test(`${name} ${model.name}`));
      if (chosen.length === 0) continue;
      const logZ = await logNormalizer(energy);
      const densities = [{ name: "exp(-U)", values: await exponential(energy) }];
      scores[name] = {};
      for (const model of chosen) {
        scores[name][model.name] = [];
        for (let seed = run.seed; seed < run.seed + seeds; seed++) {
          const flow = model.build(seed);
          // One thread, so that the numbers do not depend on the cores of the machine.
          const options = { ...fit, seed, threads: 1, maxMinutes: run.minutes };
          await fitDensity(flow, energy, { ...options, optimizer: { learningRate: 5e-3 } });
          const score = await divergence(flow, energy, logZ);
          scores[name][model.name].push(score);
          run.log(`${name}, ${model.name}, seed ${seed}: ${score.toFixed(4)}`);
          if (seed > run.seed) continue;
          const logProb = await flow.logProb(squareNodes(NODES, EDGE));
          densities.push({ name: model.name, values: logProb.map(Math.exp) });
        }
      }
      pictures.push({ name, densities });
    }
    const names = Object.keys(scores);
    const rows = models.filter((model) => names.some((name) => scores[name][model.name]));
    const text = table(
      ["", ...names],
      rows.map((model) => [model.name, ...names.map((name) => cell(scores[name][model.name]))]),
    );
    const svg = await densityGrid(pictures, {
      title: "Densities of four energies, and the flows that were fitted to them",
      caption: "On [-4, 4]², darker where the density is higher; of each flow the first seed.",
      reach: EDGE,
      size: NODES,
    });
    const picture = await svgToPng(svg, { scale: 1.5 });
    return { text: `${text}\n\n${notes(seeds, fit)}`, json: scores, pictures: { "energies.png": picture } };
  },
};

async function exponential(energy: Energy): Promise<Float64Array> {
  const density = compile((z) => energy(z).exp(), [["N", 2]], { precision: "float64" });
  const values = await density(squareNodes(NODES, EDGE));
  await density.release();
  return Float64Array.from(values);
}

function cell(scores: readonly number[] | undefined): string {
  if (!scores) return "";
  const mean = scores.reduce((a, b) => a + b, 0) / scores.length;
  if (scores.length === 1) return mean.toFixed(3);
  const squares = scores.reduce((sum, score) => sum + (score - mean) ** 2, 0);
  return `${mean.toFixed(3)} ± ${Math.sqrt(squares / (scores.length - 1) / scores.length).toFixed(3)}`;
}

const notes = (seeds: number, { steps, annealing }: FitDensityOptions) =>
  `![The density of each energy beside those of the flows](energies.png)

Each flow makes ${steps} steps of 256 rows by \`fitDensity\` (the paper: 500,000 of 100 rows), the energy annealed over the
first ${annealing!.steps}, for ${seeds} ${seeds === 1 ? "seed" : "seeds"}. Planar and radial flows start from a normal distribution with learned mean and deviations.

As published, U2 to U4 go on along z1 without an end and cannot be normalized. Here each density is as published for |z1| ≤ 4,
the part that the paper shows, and falls off beyond like a normal distribution of deviation 0.2. Less than 1e-9 of the mass is
outside of [-6, 6]², over which log Z is integrated; KL is an integral over the noise that the flow transforms, at 400 x 400
nodes. The paper gives no numbers: its Figure 3 is the picture's model.`;
