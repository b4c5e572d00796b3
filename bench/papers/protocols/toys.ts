import {
  bnaf,
  bpf,
  cnf,
  type Flow,
  gaussianization,
  glow,
  iaf,
  maf,
  naf,
  nice,
  nsf,
  planarFlow,
  radialFlow,
  realNVP,
  residualFlow,
  sospf,
  sylvesterFlow,
  umnn,
} from "../../../src/flows/index.ts";
import { type Toy, toys as toyDistributions } from "../../../src/random/index.ts";
import { svgToPng } from "../../../src/report/index.ts";
import { forTables } from "../../../src/tables/fit/index.ts";
import type { FitSettings } from "../../../src/train/index.ts";
import { table } from "../../speed/table.ts";
import { type GalleryRow, gallery } from "../gallery.ts";
import { type Model, trainModel } from "../models.ts";
import type { Protocol } from "../protocol.ts";
import { mean, standardError } from "../statistics.ts";

const ROWS = { train: 50_000, test: 20_000 };
const EPOCHS = 30;
const CNF_EPOCHS = 3;

const shape = { transforms: 8, hidden: [64, 64] };
const settings = {
  epochs: EPOCHS,
  optimizer: { learningRate: 4e-3 },
  schedule: { type: "cosine" as const },
  patience: EPOCHS,
};

type Families = Readonly<Record<string, (features: number, seed: number) => Flow>>;

/** The recipes, grouped by the picture that shows them. */
const familiesByPicture: Readonly<Record<string, Families>> = {
  "toys.png": {
    planar: (D, seed) => planarFlow(D, { transforms: 32, seed }),
    radial: (D, seed) => radialFlow(D, { transforms: 32, seed }),
    Sylvester: (D, seed) => sylvesterFlow(D, { transforms: 8, seed }),
    NICE: (D, seed) => nice(D, { ...shape, seed }),
    "Real NVP": (D, seed) => realNVP(D, { ...shape, seed }),
    MAF: (D, seed) => maf(D, { ...shape, seed }),
    IAF: (D, seed) => iaf(D, { ...shape, seed }),
    "NSF (coupling)": (D, seed) => nsf(D, { ...shape, transforms: 4, kind: "coupling", seed }),
    "NSF (autoregressive)": (D, seed) => nsf(D, { ...shape, transforms: 4, seed }),
    NAF: (D, seed) => naf(D, { ...shape, transforms: 4, seed }),
    Gaussianization: (D, seed) => gaussianization(D, { transforms: 8, seed }),
    residual: (D, seed) => residualFlow(D, { ...shape, seed }),
    "CNF, likelihood": (D, seed) => cnf(D, { hidden: [64, 64], seed }),
    "CNF, flow matching": (D, seed) => cnf(D, { hidden: [128, 128, 128], seed }),
  },
  "toys-more.png": {
    Glow: (D, seed) => glow(D, { ...shape, seed }),
    UMNN: (D, seed) => umnn(D, { ...shape, transforms: 4, nodes: 24, seed }),
    "sums of squares": (D, seed) => sospf(D, { ...shape, transforms: 4, seed }),
    Bernstein: (D, seed) => bpf(D, { ...shape, transforms: 4, seed }),
    BNAF: (D, seed) => bnaf(D, { transforms: 4, units: 16, seed }),
  },
};

/** Settings of models whose training step is much slower, or has another objective. */
const settingsByModel: Readonly<Record<string, FitSettings>> = {
  "CNF, likelihood": { epochs: CNF_EPOCHS },
  "CNF, flow matching": { objective: "flowMatching" },
};

const models: readonly Model[] = Object.values(familiesByPicture)
  .flatMap((families) => Object.entries(families))
  .map(([name, family]) => ({
    name,
    build: ({ features, seed }) => forTables(family(features, seed)),
    settings: { ...settings, ...settingsByModel[name] },
  }));

/** Divergence of each recipe from toy distributions in the plane. */
export const toys: Protocol = {
  name: "toys",
  description:
    "Distributions in the plane: Kullback-Leibler divergence KL(p || q) in nats from the true density p to each flow q, which is the mean of -log q over new rows minus the entropy of p, ± standard error over the rows.",
  needsData: false,
  names: Object.keys(toyDistributions),
  async run(run) {
    const names = (Object.keys(toyDistributions) as (keyof typeof toyDistributions)[]).filter((name) =>
      run.only.test(name),
    );
    const scores: Record<string, Record<string, { divergence: number; error: number; seconds: number }>> = {};
    const galleryRows: GalleryRow[] = [];
    for (const name of names) {
      const toy: Toy = toyDistributions[name];
      const rows = { features: 2, values: toy(run.quick ? 1000 : ROWS.train, { seed: 2 * run.seed }) };
      const testRows = toy(ROWS.test, { seed: 2 * run.seed + 1 });
      const flows: GalleryRow["flows"] = [];
      scores[name] = {};
      for (const model of models) {
        const start = performance.now();
        const { flow } = await trainModel(model, { rows }, run);
        const score = divergences(await flow.logProb(testRows), testRows, toy);
        scores[name][model.name] = { ...score, seconds: (performance.now() - start) / 1000 };
        flows.push({ name: model.name, logProb: (at) => flow.logProb(at) });
        run.log(`${name}, ${model.name}: ${format(score)}, ${scores[name][model.name].seconds.toFixed(0)} s`);
      }
      galleryRows.push({ name, toy, rows: testRows.subarray(0, 4000), flows });
    }
    const text = table(
      ["", ...names],
      [
        ["entropy", ...names.map((name) => toyDistributions[name].entropy.toFixed(4))],
        ...models.map((model) => [model.name, ...names.map((name) => format(scores[name][model.name]))]),
      ],
    );
    const pictures: Record<string, Uint8Array> = {};
    for (const [picture, families] of Object.entries(familiesByPicture)) {
      const rows = galleryRows.map((row) => ({
        ...row,
        flows: row.flows.filter(({ name }) => name in families),
      }));
      pictures[picture] = await svgToPng(await gallery(rows), { scale: 1.5 });
    }
    return { text: `${text}\n\n${notes}`, json: scores, pictures };
  },
};

const notes = `![Samples of each distribution, and the densities of the flows](toys.png)

![Densities of five more families](toys-more.png)

Each flow sees 50,000 rows for ${EPOCHS} epochs with a cosine schedule, and keeps the weights that are best on a tenth of the
rows. Flows have eight layers with hidden layers [64, 64]; flows of monotonic transforms (splines, NAF, UMNN, polynomials, BNAF) have
four, and planar and radial flows 32. The continuous flow (CNF) is one network: [64, 64] trained by likelihood for ${CNF_EPOCHS} epochs, and
[128, 128, 128] trained by flow matching. NICE preserves volumes, so it cannot represent arbitrary densities.`;

const format = ({ divergence, error }: { divergence: number; error: number }) =>
  `${divergence.toFixed(3)} ± ${error.toFixed(3)}`;

/**
 * Mean and standard error of log p - log q over rows of p. For toys without a density, log p is replaced by its mean, minus
 * the entropy: the mean of the difference is the same, but its noise is larger.
 */
function divergences(
  logProb: Float64Array,
  rows: Float64Array,
  { entropy, logDensity }: Toy,
): { divergence: number; error: number } {
  const truth = logDensity?.(rows);
  const differences = logProb.map((value, i) => (truth ? truth[i] : -entropy) - value);
  return { divergence: mean(differences), error: standardError(differences) };
}
