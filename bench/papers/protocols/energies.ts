import { DiagonalNormal } from "../../../src/distributions/index.ts";
import { type Flow, nice, nsf, planarFlow, radialFlow } from "../../../src/flows/index.ts";
import { svgToPng } from "../../../src/report/index.ts";
import { compile } from "../../../src/runtime/compile.ts";
import { type FitDensityOptions, fitDensity } from "../../../src/train/index.ts";
import { table } from "../../speed/table.ts";
import { type DensityRow, densityGrid } from "../densityGrid.ts";
import { type LogDensity, logDensities, PLOT_HALF_SIDE } from "../energies.ts";
import { divergence, gridNodes, logNormalizer } from "../planeQuadrature.ts";
import { withError } from "../statistics.ts";

interface Model {
  readonly name: string;
  build(seed: number): Flow;
}

const base = () => new DiagonalNormal({ features: 2 });
const networks = { hidden: [64, 64] };

const planarModels = [2, 8, 32].map((transforms) => ({
  name: `planar, K = ${transforms}`,
  build: (seed: number) => planarFlow(2, { closedForm: "sampling", transforms, base: base(), seed }),
}));

const models: readonly Model[] = [
  ...planarModels,
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
const quickSettings: Settings = { seeds: 1, fit: { steps: 600, annealing: { start: 0.01, steps: 300 } } };

/** Options of a run, as in `RunOptions` without the data directory. */
interface Run {
  readonly seed: number;
  readonly quick: boolean;
  /** Runs only the pairs of an energy and a model, such as `U3 planar, K = 8`, whose names match. */
  readonly only: RegExp;
  /** Time limit of a single training. */
  readonly minutes?: number;
  log(line: string): void;
}

const GRID_SIZE = 160;

const nameOfPair = (energy: string, model: Model) => `${energy} ${model.name}`;

/** Variational inference of the four energies on the plane for which planar flows were introduced. */
export const energies = {
  name: "energies",
  description:
    "Energies on the plane (Rezende and Mohamed 2015, section 6.1): KL(q || p) in nats of flows q that are fitted to the density p of each energy, by quadrature; mean ± standard error over seeds.",
  needsData: false,
  names: Object.keys(logDensities).flatMap((energy) => models.map((model) => nameOfPair(energy, model))),
  async run(run: Run) {
    const { seeds, fit } = run.quick ? quickSettings : full;
    const scores: Record<string, Record<string, number[]>> = {};
    const pictures: DensityRow[] = [];
    for (const [name, logDensity] of Object.entries(logDensities)) {
      const matchingModels = models.filter((model) => run.only.test(nameOfPair(name, model)));
      if (matchingModels.length === 0) continue;
      const logZ = await logNormalizer(logDensity);
      const densities = [{ name: "exp(-U)", values: await densityOnGrid(logDensity) }];
      scores[name] = {};
      for (const model of matchingModels) {
        scores[name][model.name] = [];
        for (let seed = run.seed; seed < run.seed + seeds; seed++) {
          const flow = model.build(seed);
          // One thread, so that the numbers do not depend on the number of cores.
          const options = { ...fit, seed, threads: 1, maxMinutes: run.minutes };
          await fitDensity(flow, logDensity, { ...options, optimizer: { learningRate: 5e-3 } });
          const score = await divergence(flow, logDensity, logZ);
          scores[name][model.name].push(score);
          run.log(`${name}, ${model.name}, seed ${seed}: ${score.toFixed(4)}`);
          if (seed > run.seed) continue;
          const logProb = await flow.logProb(gridNodes(GRID_SIZE, PLOT_HALF_SIDE));
          densities.push({ name: model.name, values: logProb.map(Math.exp) });
        }
      }
      pictures.push({ name, densities });
    }
    const names = Object.keys(scores);
    const rows = models.filter((model) => names.some((name) => scores[name][model.name]));
    const text = table(
      ["", ...names],
      rows.map((model) => [model.name, ...names.map((name) => withError(scores[name][model.name] ?? [], 3))]),
    );
    const svg = await densityGrid(pictures, {
      title: "Densities of four energies, and of fitted flows",
      caption: "On [-4, 4]², darker where the density is higher. Flows have the first seed.",
      halfSide: PLOT_HALF_SIDE,
      size: GRID_SIZE,
    });
    const picture = await svgToPng(svg, { scale: 1.5 });
    return { text: `${text}\n\n${notes(seeds, fit)}`, json: scores, pictures: { "energies.png": picture } };
  },
};

async function densityOnGrid(logDensity: LogDensity): Promise<Float64Array> {
  const density = compile((z) => logDensity(z).exp(), [["N", 2]], { precision: "float64" });
  const values = await density(gridNodes(GRID_SIZE, PLOT_HALF_SIDE));
  await density.release();
  return Float64Array.from(values);
}

const notes = (seeds: number, { steps, annealing }: FitDensityOptions) =>
  `![The density of each energy, and the densities of the flows](energies.png)

Each flow makes ${steps} steps of 256 rows by \`fitDensity\` (the paper: 500,000 of 100 rows), the energy annealed over the
first ${annealing!.steps}, for ${seeds} ${seeds === 1 ? "seed" : "seeds"}. The base distribution of planar and radial flows is normal with learned mean and deviations.

As published, U2 to U4 do not decay along z1 and cannot be normalized. Here each density is as published for |z1| ≤ 4, the part that
the paper plots, and falls beyond it like a normal distribution of deviation 0.2. log Z is the integral over [-6, 6]², which omits
less than 1e-9 of the mass. KL is an integral over the noise that the flow transforms, with 400 x 400 nodes. The paper has no
numbers; the picture follows its Figure 3.`;
