import {
  bnaf,
  bpf,
  cnf,
  type Flow,
  forTables,
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
import { toys as all, type Toy } from "../../../src/random/index.ts";
import { svgToPng } from "../../../src/report/index.ts";
import type { FitSettings } from "../../../src/train/index.ts";
import { table } from "../../speed/table.ts";
import { type GalleryRow, gallery } from "../gallery.ts";
import { type Model, trained } from "../models.ts";
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

/** Each family of recipe, by the picture that shows it. */
const pictured: Readonly<Record<string, Families>> = {
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

/** Where a step costs much more than in the others, or is another. */
const own: Readonly<Record<string, FitSettings>> = {
  "CNF, likelihood": { epochs: CNF_EPOCHS },
  "CNF, flow matching": { objective: "flowMatching" },
};

const models: readonly Model[] = Object.values(pictured)
  .flatMap((families) => Object.entries(families))
  .map(([name, family]) => ({
    name,
    build: ({ features, seed }) => forTables(family(features, seed)),
    settings: { ...settings, ...own[name] },
  }));

/** How far each recipe stays from distributions in the plane. */
export const toys: Protocol = {
  name: "toys",
  about:
    "Distributions in the plane: Kullback-Leibler divergence in nats of each recipe's flow from the truth, that is the mean of -log q over fresh rows less the entropy, ± standard error over the rows.",
  readsData: false,
  async run(run) {
    const names = (Object.keys(all) as (keyof typeof all)[]).filter((name) => run.only.test(name));
    const scores: Record<string, Record<string, { divergence: number; error: number; seconds: number }>> = {};
    const seen: GalleryRow[] = [];
    for (const name of names) {
      const toy: Toy = all[name];
      const rows = { features: 2, values: toy(run.quick ? 1000 : ROWS.train, { seed: 2 * run.seed }) };
      const fresh = toy(ROWS.test, { seed: 2 * run.seed + 1 });
      const flows: GalleryRow["flows"] = [];
      scores[name] = {};
      for (const model of models) {
        const start = performance.now();
        const { flow } = await trained(model, { rows }, run);
        const surprise = divergences(await flow.logProb(fresh), fresh, toy);
        scores[name][model.name] = { ...surprise, seconds: (performance.now() - start) / 1000 };
        flows.push({ name: model.name, logProb: (at) => flow.logProb(at) });
        run.log(
          `${name}, ${model.name}: ${cell(surprise)}, ${scores[name][model.name].seconds.toFixed(0)} s`,
        );
      }
      seen.push({ name, toy, rows: fresh.subarray(0, 4000), flows });
    }
    const text = table(
      ["", ...names],
      [
        ["entropy", ...names.map((name) => all[name].entropy.toFixed(4))],
        ...models.map((model) => [model.name, ...names.map((name) => cell(scores[name][model.name]))]),
      ],
    );
    const pictures: Record<string, Uint8Array> = {};
    for (const [picture, families] of Object.entries(pictured)) {
      const rows = seen.map((row) => ({ ...row, flows: row.flows.filter(({ name }) => name in families) }));
      pictures[picture] = await svgToPng(await gallery(rows), { scale: 1.5 });
    }
    return { text: `${text}\n\n${notes}`, json: scores, pictures };
  },
};

const notes = `![Rows of each distribution beside the densities of the flows](toys.png)

![The same of five further families](toys-more.png)

Each flow sees 50,000 rows for ${EPOCHS} epochs, the step falling along a cosine, and keeps the weights that are best on a tenth
of the rows: eight layers with networks of [64, 64], four of the monotonic transforms (splines, NAF, UMNN, polynomials, BNAF), 32
planar and radial layers. The continuous flow (CNF) is one network: of [64, 64] by likelihood, for ${CNF_EPOCHS} epochs, and of
[128, 128, 128] by flow matching. NICE keeps volumes, so it cannot reach densities that vary.`;

const cell = ({ divergence, error }: { divergence: number; error: number }) =>
  `${divergence.toFixed(3)} ± ${error.toFixed(3)}`;

/**
 * Mean and standard error of log p - log q. Where the toy has a density, its log p of the same rows takes the place of minus
 * the entropy: its mean is the same, and most of the noise cancels.
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
