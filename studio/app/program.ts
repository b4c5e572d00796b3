import { baseOf } from "./bases.ts";
import { type FamilyName, familyOf } from "./families.ts";
import type { Setting, Source } from "./setting.ts";
import { targetOf } from "./target.ts";

/**
 * A TypeScript program that trains the flow of a setting for a number of epochs, with the same result as the page on the CPU. `rows` are
 * the points of the setting.
 */
export function programOf(setting: Setting, epochs: number, rows: ArrayLike<number>): string {
  const { source, seed, family: name } = setting;
  const family = familyOf(name);
  const { imports, text } =
    setting.objective === "reverse" ? divergence(setting, epochs, rows) : likelihood(setting, epochs);
  const base = baseText(setting);
  const needed = [
    "Chain",
    "Flow",
    family.recipe,
    "Standardize",
    ...imports,
    ...base.imports,
    ...(source.kind === "toy" ? ["toys"] : []),
  ];
  const sorted = [...new Set(needed)].toSorted((a, b) => a.localeCompare(b)).join(", ");
  return `import { ${sorted} } from "pushforward";
import { saveModel } from "pushforward/files";${setting.objective === "reverse" ? '\nimport { initialize } from "pushforward/train";' : ""}

${rowsText(source, seed)}

const { base, bijection } = ${family.recipe}(2, ${objectText(family.options(setting), base.option)});
const flow = new Flow(base, new Chain([bijection, new Standardize({ features: 2 })]));

${text}
await saveModel("model.safetensors", { flow, columns: ["x", "y"] });
`;
}

/** The option of the base distribution, if it is not that of the recipe. */
function baseText({ base, family, seed }: Setting) {
  if (base === familyOf(family).defaults.base) return { imports: [] };
  const { class: className, options, isRandom } = baseOf(base);
  const random = isRandom ? `, new Random(${seed})` : "";
  return {
    imports: [className, ...(isRandom ? ["Random"] : [])],
    option: `base: new ${className}(${objectText(options)}${random})`,
  };
}

/** The options that both objectives have. */
const options = ({
  family,
  learningRate,
  seed,
}: Setting) => `${trainingText(family)}optimizer: { learningRate: ${learningRate} },
  seed: ${seed},
  // WebAssembly on one thread, as the page trains on the CPU. Without these lines training is faster, and
  // its numbers differ by rounding.
  threads: 1,
  providers: ["wasm"],`;

function trainingText(family: FamilyName): string {
  const { training } = familyOf(family);
  return training ? `objective: ${JSON.stringify(training.objective)},\n  ` : "";
}

function likelihood(setting: Setting, epochs: number) {
  const text = `const { validationLogDensity } = await fit(flow, rows, {
  epochs: ${epochs},
  ${options(setting)}
});

console.log(-validationLogDensity, "nats on held-out points");`;
  return { imports: ["fit"], text };
}

function divergence(setting: Setting, epochs: number, rows: ArrayLike<number>) {
  const { centers, deviation } = targetOf(rows);
  const points = rows.length / 2;
  const components = centers.length / 2;
  const text = `// The target p: normal distributions of equal weight around evenly spaced points.
const target = new GaussianMixture({ features: 2, components: ${components} }, new Random(0));
const indices = Array.from({ length: ${components} }, (_, i) => Math.floor((i * ${points}) / ${components}));
target.means.take(Float64Array.from(indices.flatMap((i) => [rows[2 * i]!, rows[2 * i + 1]!])));
target.logDiagonal.take(new Float64Array(${centers.length}).fill(-Math.log(${deviation})));

// KL(q || p), estimated from samples of the flow q.
await initialize(flow, dataset(rows, { features: 2 }));
const { epochs } = await minimize(
  (batch) => {
    const noise = flow.base.noise.map(({ kind, size }) => batch[kind](size));
    const { samples, logProb } = flow.sampleAndLogProb(noise);
    return logProb.sub(target.logProb(samples));
  },
  flow,
  undefined,
  {
    steps: ${100 * epochs},
    frozen: target,
    ${options(setting).replaceAll("\n", "\n  ")}
  },
);

console.log(epochs.at(-1)!.trainLoss, "nats of KL(q || p)");`;
  return { imports: ["dataset", "GaussianMixture", "minimize", "Random"], text };
}

const POINTS_PER_LINE = 6;

function rowsText(source: Source, seed: number): string {
  if (source.kind === "toy") return `const rows = toys.${source.name}(${source.rows}, { seed: ${seed} });`;
  const lines: string[] = [];
  for (let i = 0; i < source.values.length; i += 2 * POINTS_PER_LINE)
    lines.push(`  ${source.values.slice(i, i + 2 * POINTS_PER_LINE).join(", ")},`);
  return `// Points as x0, y0, x1, y1, ...\nconst rows = [\n${lines.join("\n")}\n];`;
}

/** An object of numbers, strings and lists of numbers as TypeScript, with another property at its end. */
function objectText(value: Readonly<Record<string, unknown>>, last?: string): string {
  const properties = Object.entries(value).map(
    ([key, each]) => `${key}: ${Array.isArray(each) ? `[${each.join(", ")}]` : JSON.stringify(each)}`,
  );
  return `{ ${[...properties, ...(last ? [last] : [])].join(", ")} }`;
}
