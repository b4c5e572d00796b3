/**
 * Writes docs/defaults.md from bench/defaults.json and bench/tables/peers.json, and the table of log-densities in
 * README.md.
 *
 *     node --import tsx bench/defaultsTable.ts --data DIRECTORY
 */
import { readFileSync, writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import type { Result, Trial } from "./defaults.ts";
import { table as markdown } from "./speed/table.ts";
import { loadTable, TABLES, type Table } from "./tables.ts";

/** The result of one model in peers.json; `testError` is as in `Result`. */
interface Peer {
  readonly table: string;
  readonly model: string;
  readonly digest: string;
  readonly test: number;
  readonly testError: number;
  readonly seeds: readonly { readonly test: number; readonly seconds: number }[];
}

/** Names of the peers in the tables, and in peers.json. */
const PEERS = {
  Gaussian: "gaussian",
  "Gaussian mixture (scikit-learn)": "mixture",
  "kernel density": "kernel",
  "zuko MAF": "maf",
  "zuko NSF": "nsf",
};
/** Headers of the configurations of defaults.ts whose names are not clear without its code. */
const HEADERS: Readonly<Record<string, string>> = {
  affine: "`affine`",
  splines: "`splines`",
  mixture: "`mixture`",
  "decay 0.01": "weight decay 0.01",
  "step 3e-4": "learning rate 3e-4",
  "step 3e-3": "learning rate 3e-3",
  "no average": "no weight averaging",
};
/** The number of seeds of our models and of the flows of zuko; other peers have one. */
const SEEDS = 3;

const { values } = parseArgs({ options: { data: { type: "string" } } });
if (!values.data)
  throw new Error("--data DIRECTORY is required: the directory that contains uci/, earth/ and adbench/");
const directory = values.data;
const readText = (path: string) => readFileSync(new URL(path, import.meta.url), "utf8");
const results: Result[] = JSON.parse(readText("defaults.json"));
const peers: Peer[] = JSON.parse(readText("tables/peers.json")).results;
const tables = TABLES.map((name) => loadTable(name, directory));
for (const result of [...results, ...peers]) {
  const table = tables.find(({ name }) => name === result.table);
  if (table && table.digest !== result.digest)
    throw new Error(
      `${result.table}: a result in bench/ was measured on other rows than bench/tables.ts loads now; measure it again`,
    );
}

const findResult = (table: Table, configuration: string) =>
  results.find((r) => r.table === table.name && r.configuration === configuration);
const findPeer = (table: Table, model: string) =>
  peers.find((p) => p.table === table.name && p.model === model);
const trainingRows = ({ train, features }: Table) => train.length / features;

const standardDeviation = (values: readonly number[]) => {
  const center = values.reduce((a, b) => a + b, 0) / values.length;
  return Math.sqrt(values.reduce((sum, v) => sum + (v - center) ** 2, 0) / (values.length - 1));
};
const number = (value: number | undefined, digits = 3) => value?.toFixed(digits) ?? "";
const withError = (result: Pick<Result, "test" | "testError"> | undefined) =>
  result ? `${number(result.test, 2)} ± ${number(result.testError, 2)}` : "";
/** As `withError`, with a remark if seeds are missing. */
const withSeeds = (result: Result | Peer | undefined) => {
  const seeds = result?.seeds.length ?? SEEDS;
  return seeds < SEEDS ? `${withError(result)} (${seeds} of ${SEEDS} seeds)` : withError(result);
};
const peerWithError = (table: Table, model: string) =>
  (["maf", "nsf"].includes(model) ? withSeeds : withError)(findPeer(table, model));
/** Standard deviation of the test numbers over seeds. */
const seedDeviation = (seeds: readonly { readonly test?: number }[] = []) =>
  seeds.length > 1 ? number(standardDeviation(seeds.map(({ test }) => test!)), 2) : "";
/** The seeds whose training the largest number of epochs ended, each with this number. */
const stoppedByEpochs = (trials: readonly Trial[]) =>
  trials
    .filter(({ stopped }) => stopped === "epochs")
    .map(({ seed, epochs }) => `${seed}: ${epochs}`)
    .join(", ");

/** The peers and pushforward, with the best of them in bold, and the difference of pushforward from the best peer. */
const comparison = tables.map((table) => {
  const ours = findResult(table, "fitFlows");
  const models = Object.values(PEERS);
  const scores = [...models.map((model) => findPeer(table, model)?.test), ours?.test];
  const best = Math.max(...scores.map((score) => score ?? Number.NEGATIVE_INFINITY));
  const cells = [...models.map((model) => peerWithError(table, model)), withSeeds(ours)];
  const bestPeer = Math.max(...scores.slice(0, -1).map((score) => score ?? Number.NEGATIVE_INFINITY));
  const gain = ours?.test !== undefined && Number.isFinite(bestPeer) ? number(ours.test - bestPeer, 2) : "";
  return [table.name, ...cells.map((cell, i) => (scores[i] === best ? `**${cell}**` : cell)), gain];
});

const seeds = tables.map((table) => {
  const trials = findResult(table, "fitFlows")?.seeds ?? [];
  const spreads = ["maf", "nsf"].map((model) => seedDeviation(findPeer(table, model)?.seeds));
  const seconds = trials.map((trial) => trial.seconds.toFixed(0)).join(", ");
  const kept = trials.map(({ chosen }) => chosen).join(", ");
  return [
    table.name,
    ...spreads,
    seedDeviation(trials),
    kept,
    seconds && `${seconds} s`,
    stoppedByEpochs(trials),
  ];
});

/** The mixture of `fitTable` beside the best peer and `fitFlows`, on the tables where it has densities only. */
const mixture = tables.flatMap((table) => {
  const ours = findResult(table, "fitTable");
  if (ours?.test === undefined) return [];
  const found = Object.entries(PEERS).flatMap(([name, model]) => {
    const peer = findPeer(table, model);
    return peer ? [{ name, model, peer }] : [];
  });
  const { name, model, peer } = found.reduce((a, b) => (b.peer.test > a.peer.test ? b : a));
  const members = ours.seeds.map(({ chosen }) => chosen).join("; ");
  const gain = number(ours.test - peer.test, 2);
  const flows = withSeeds(findResult(table, "fitFlows"));
  const times = [ours, findPeer(table, "nsf")].map(
    (result) => `${result?.seeds.map(({ seconds }) => seconds.toFixed(0)).join(", ")} s`,
  );
  const bestPeer = `${name} ${peerWithError(table, model)}`;
  return [[table.name, bestPeer, flows, withSeeds(ours), gain, ...times, members]];
});

/** Validation numbers of each configuration, and the number of tables on which it is better than the first configuration. */
function factorTable(among: readonly Table[]): string {
  const names = new Set(among.map(({ name }) => name));
  const measured = results.filter(
    (r) => names.has(r.table) && !["fitFlows", "fitTable"].includes(r.configuration),
  );
  const configurations = [...new Set(measured.map((r) => r.configuration))];
  if (configurations.length === 0) return "(not measured)";
  const [first] = configurations;
  const rows = among.map((table) => {
    const cells = configurations.map((name) => {
      const result = findResult(table, name);
      const limited = result?.seeds.some(({ stopped }) => stopped !== "patience") ? "*" : "";
      return `${number(result?.validation)}${limited}`;
    });
    return [table.name, ...cells];
  });
  const better = configurations.map((name) => {
    const pairs = among.flatMap((table) => {
      const [a, b] = [findResult(table, name), findResult(table, first)];
      return a && b ? [a.validation > b.validation] : [];
    });
    return name === first ? "" : `${pairs.filter(Boolean).length} of ${pairs.length}`;
  });
  const headers = configurations.map((name) => HEADERS[name] ?? name);
  return markdown(["table", ...headers], [...rows, [`better than \`${first}\``, ...better]]);
}

const shapes = tables.map((table) => {
  const part = (values: Float64Array) => String(values.length / table.features);
  const counts = [table.train, table.validation, table.test].map(part);
  return [
    table.name,
    ...counts,
    String(table.features),
    table.dequantized.join(", "),
    table.repeating.join(", "),
  ];
});

const sections: Record<string, string> = {
  against: markdown(["table", ...Object.keys(PEERS), "pushforward", "gain over best"], comparison),
  seeds: markdown(
    [
      "table",
      "zuko MAF",
      "zuko NSF",
      "pushforward",
      "selected flow",
      "time",
      "stopped by the epoch limit (seed: epochs)",
    ],
    seeds,
  ),
  mixture: markdown(
    ["table", "best peer", "fitFlows", "fitTable", "gain over best", "time", "time of zuko NSF", "members"],
    mixture,
  ),
  factors: factorTable(tables.filter((table) => trainingRows(table) <= 20_000)),
  many: factorTable(tables.filter((table) => trainingRows(table) > 20_000)),
  shapes: markdown(
    [
      "table",
      "training rows",
      "validation",
      "test",
      "columns",
      "columns with noise",
      "columns whose values repeat",
    ],
    shapes,
  ),
};
const page = readText("defaults.template.md").replace(/\{\{(\w+)\}\}/g, (_, name) => sections[name]);
writeFileSync(new URL("../docs/defaults.md", import.meta.url), page);

const missing = tables.filter((table) => !findResult(table, "fitFlows")).map(({ name }) => name);
if (missing.length > 0) {
  console.log(
    `README.md was not changed: defaults.json has no results of fitFlows for ${missing.join(", ")}`,
  );
} else {
  const readme = new URL("../README.md", import.meta.url);
  const rows = tables.map((table, i) => {
    const [name, ...scores] = comparison[i];
    const total = (table.train.length + table.validation.length + table.test.length) / table.features;
    const shown = name.replace(/_dq$/, " (dequantized)").replaceAll("_", " ");
    return [shown, total.toLocaleString("en"), String(table.features), ...scores.slice(0, -1)];
  });
  const head = ["table", "rows", "columns", ...Object.keys(PEERS), "pushforward"];
  const about = `Mean log-density of the test rows in nats, with z-scored columns, ± standard error over these rows; higher is better. No test row
equals a training row. All models use the same split. The other models are a Gaussian with full covariance, a Gaussian mixture
(scikit-learn), a kernel density estimate, and zuko's MAF and NSF (five transforms, early stopping). pushforward is \`fitFlows\`
([its flows](docs/which-flow.md#tables)) with its defaults. Its numbers and those of zuko's flows are means over three seeds.
pushforward's learning rate was chosen on the validation rows of these tables, and zuko's was not tuned, so this is a comparison of
defaults, not of kinds of flows. [docs/defaults.md](docs/defaults.md) describes the protocol.`;
  const before = readFileSync(readme, "utf8");
  const [start, end] = ["<!-- log-densities -->\n", "\n<!-- end of log-densities -->"];
  const [from, to] = [before.indexOf(start), before.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`README.md lacks a comment around its table: ${start.trim()}`);
  const around = [before.slice(0, from + start.length), before.slice(to)];
  writeFileSync(readme, around.join(`\n${about}\n\n${markdown(head, rows)}\n`));
}
