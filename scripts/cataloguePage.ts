import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { bijectionKinds } from "../src/bijections/registry.ts";
import { scalarTransformKinds } from "../src/bijections/scalar/registry.ts";
import type { About } from "../src/description.ts";
import { distributionKinds } from "../src/distributions/registry.ts";
import { matrix, PEERS } from "./peerMatrix.ts";

interface Kind {
  readonly about: About;
  examples(features: number): readonly unknown[];
}

interface Entry extends About {
  readonly type: string;
}

const entriesOf = (kinds: readonly Kind[]): Entry[] =>
  kinds.map((kind) => ({ ...kind.about, type: (kind.examples(2)[0] as { type: string }).type }));

const bijections = entriesOf(bijectionKinds);
const transforms = entriesOf(scalarTransformKinds);
const distributions = entriesOf(distributionKinds);

/** The text of docs/flows/index.md. */
export function catalogue(): string {
  return [
    "# The catalogue",
    "",
    "Every map and every distribution that a flow can be built of. Each is registered, and what is registered is tested: its",
    "inverse, its log-determinant against automatic differentiation, its gradients, its start, how it is saved, in both",
    "precisions. A page says when to use it, and shows what it does to a Gaussian grid. `npm run catalogue` writes this page",
    "from the registries, `npm run gallery` draws the pictures.",
    "",
    "## Bijections",
    "",
    ...tableOf(bijections),
    "",
    "## Scalar transforms",
    "",
    "Monotonic maps of one variable: what `autoregressive`, `coupling` and `elementwise` apply to a feature.",
    "",
    ...tableOf(transforms),
    "",
    "## Distributions",
    "",
    "Bases of flows, and density models of their own.",
    "",
    "| type | name | formula | support | paper |",
    "| --- | --- | --- | --- | --- |",
    ...distributions.map(({ type, name, formula, support, paper }) =>
      row([linked(type), name, `\`${formula}\``, support ?? "all", paper ?? ""]),
    ),
    "",
    "## Beside the peers",
    "",
    "Y yes, P partly, – no, as read in the sources and threads of the peers in November 2026.",
    "",
    row(["", "pushforward", ...PEERS]),
    row(["---", "---", ...PEERS.map(() => "---")]),
    ...matrix.map(({ feature, ours, peers }) => row([feature, oursOf(ours), ...peers])),
    "",
  ].join("\n");
}

function tableOf(entries: readonly Entry[]): string[] {
  return [
    "| type | name | formula | density | sampling | data | paper |",
    "| --- | --- | --- | --- | --- | --- | --- |",
    ...entries.map(({ type, name, formula, density, sampling, support, paper }) =>
      row([
        linked(type),
        name,
        `\`${formula}\``,
        density ?? "",
        sampling ?? "",
        support ?? "all",
        paper ?? "",
      ]),
    ),
  ];
}

const row = (cells: readonly string[]) =>
  `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;

/** The type, linked to its page where it has one. */
function linked(type: string): string {
  const page = fileURLToPath(new URL(`../docs/flows/${type}.md`, import.meta.url));
  return existsSync(page) ? `[\`${type}\`](${type}.md)` : `\`${type}\``;
}

/** Types are checked against the registries: nothing is claimed that is not there. */
function oursOf(ours: readonly string[] | string): string {
  if (typeof ours === "string") return ours;
  for (const type of ours) {
    if (![...bijections, ...transforms, ...distributions].some((entry) => entry.type === type))
      throw new Error(`the matrix of peers names ${type}, which is not registered`);
  }
  return ours.map(linked).join(", ");
}
