import { familyOf } from "./families.ts";
import type { Setting, Source } from "./setting.ts";

/** A TypeScript program that trains the flow of a setting for a number of epochs, with the numbers of the page. */
export function programOf({ source, family: name, learningRate, ...size }: Setting, epochs: number): string {
  const family = familyOf(name);
  const needed = [
    "Chain",
    "Flow",
    "fit",
    family.recipe,
    "Standardize",
    ...(source.kind === "toy" ? ["toys"] : []),
  ].toSorted((a, b) => a.localeCompare(b));
  return `import { ${needed.join(", ")} } from "pushforward";
import { saveModel } from "pushforward/files";

${rowsText(source, size.seed)}

const { base, bijection } = ${family.recipe}(2, ${objectText(family.options(size))});
const flow = new Flow(base, new Chain([bijection, new Standardize({ features: 2 })]));

const { validationLogDensity } = await fit(flow, rows, {
  epochs: ${epochs},
  optimizer: { learningRate: ${learningRate} },
  seed: ${size.seed},
  // The page computes in WebAssembly on one thread. Without these lines training is faster, and its
  // numbers differ by rounding.
  threads: 1,
  providers: ["wasm"],
});

console.log(-validationLogDensity, "nats on held-out points");
await saveModel("model.safetensors", { flow, columns: ["x", "y"] });
`;
}

const POINTS_PER_LINE = 6;

function rowsText(source: Source, seed: number): string {
  if (source.kind === "toy") return `const rows = toys.${source.name}(${source.rows}, { seed: ${seed} });`;
  const lines: string[] = [];
  for (let i = 0; i < source.values.length; i += 2 * POINTS_PER_LINE)
    lines.push(`  ${source.values.slice(i, i + 2 * POINTS_PER_LINE).join(", ")},`);
  return `// x and y in turn.\nconst rows = [\n${lines.join("\n")}\n];`;
}

/** An object of numbers, text and lists as TypeScript. */
const objectText = (value: Readonly<Record<string, unknown>>): string =>
  `{ ${Object.entries(value)
    .map(([key, each]) => `${key}: ${Array.isArray(each) ? `[${each.join(", ")}]` : JSON.stringify(each)}`)
    .join(", ")} }`;
