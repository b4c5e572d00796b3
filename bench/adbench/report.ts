import { STATISTICS } from "../../src/tables/anomalies/anomalyStatistics.ts";
import { readColumns } from "../papers/files.ts";
import { mean } from "../papers/statistics.ts";
import { table } from "../speed/table.ts";
import type { Aurocs } from "./measure.ts";
import type { Setting } from "./tables.ts";

/** Titles that are not the name of the number. */
const TITLES: Readonly<Partial<Record<string, string>>> = {
  marginalSurprise: "marginal surprise",
  rankDistance: "rank distance",
};

/** The areas of each table, from training runs that took at most `minutes` and used `threads` of a machine with `cores`. */
interface ResultsOfSetting {
  readonly minutes: number;
  readonly threads: number;
  readonly cores: number;
  readonly areas: Readonly<Record<string, Aurocs>>;
}
type Results = Partial<Record<Setting, ResultsOfSetting>>;
/** The mean area of each method for each table of a setting. */
type Published = ReadonlyMap<string, ReadonlyMap<string, number>>;

/** The page of the results. */
export function report(published: Readonly<Record<Setting, Published>>, results: Results): string {
  const sections = Object.entries(results).flatMap(([setting, ofSetting]) =>
    section(setting as Setting, ofSetting, published[setting as Setting]),
  );
  const { minutes, threads } = Object.values(results)[0]!;
  const again = `If results.json is removed, \`PUSHFORWARD_DATA=... npm run bench:adbench -- --minutes ${minutes} --threads ${threads}\` measures this again.`;
  return [introduction, again, ...sections].join("\n\n").concat("\n");
}

function section(
  setting: Setting,
  { minutes, threads, cores, areas }: ResultsOfSetting,
  published: Published,
): string[] {
  const names = Object.keys(areas);
  const parts = [
    "score",
    ...STATISTICS,
    "density",
    ...(setting === "unsupervised" ? ["trimmed"] : []),
  ] as const;
  const shown = ["KNN", "DTE-NP", "ICL", "IForest"];
  const rows = names.map((name) => {
    const others = published.get(name)!;
    const best = Math.max(...others.values());
    return [
      name,
      ...parts.map((part) => areas[name][part as keyof Aurocs]?.toFixed(1) ?? ""),
      rankAmong(others, areas[name].score).toFixed(1),
      ...shown.map((method) => others.get(method)!.toFixed(1)),
      best.toFixed(1),
    ];
  });
  const ranks = (part: string) =>
    names.map((name) => rankAmong(published.get(name)!, areas[name][part as keyof Aurocs]!));
  // In the same field as our score: the 26 published methods and it.
  const ofMethod = (method: string) =>
    names.map((name) => {
      const methods = published.get(name)!;
      const others = without(methods, method).set("score", areas[name].score);
      return rankAmong(others, methods.get(method)!);
    });
  const ofScore = ranks("score");
  const leftOut = ofScore.map((_, i) => mean(ofScore.filter((_, j) => j !== i)));
  return [
    ...heading[setting],
    `Each training run took at most ${minutes} minutes and used ${threads} of ${cores} shared cores.`,
    table(["", ...parts.map((part) => TITLES[part] ?? part), "rank of score", ...shown, "best of 26"], rows),
    `Mean rank among 27, the 26 published methods and one of ours, of ${names.length} tables: ${parts.map((part) => `${TITLES[part] ?? part} ${mean(ranks(part)).toFixed(2)}`).join(", ")}; published, beside our score: ${shown.map((method) => `${method} ${mean(ofMethod(method)).toFixed(2)}`).join(", ")}. Without any one of the tables, the mean rank of the score is between ${Math.min(...leftOut).toFixed(2)} and ${Math.max(...leftOut).toFixed(2)}.`,
  ];
}

/** The rank of an area among those of other methods: 1 + the number of methods that are better + half of those that are equal. */
function rankAmong(others: ReadonlyMap<string, number>, area: number): number {
  const values = [...others.values()];
  return 1 + values.filter((each) => each > area).length + values.filter((each) => each === area).length / 2;
}

const without = (methods: ReadonlyMap<string, number>, name: string) =>
  new Map([...methods].filter(([method]) => method !== name));

/** Reads the published areas of both settings from the directory of the data. */
export function readPublished(data: string): Readonly<Record<Setting, Published>> {
  const columns = readColumns(data, "adbench", "published.csv");
  const [settings, tables, methods, areas] = ["setting", "table", "method", "auroc_mean"].map(
    (name) => columns.get(name)!,
  );
  const ofSetting = (setting: Setting): Published => {
    const published = new Map<string, Map<string, number>>();
    for (const [i, name] of tables.entries()) {
      if (settings[i] !== setting) continue;
      if (!published.has(name)) published.set(name, new Map());
      published.get(name)!.set(methods[i], Number(areas[i]));
    }
    return published;
  };
  return { "one-class": ofSetting("one-class"), unsupervised: ofSetting("unsupervised") };
}

const heading: Readonly<Record<Setting, readonly string[]>> = {
  "one-class": [
    "## One class",
    "The training rows are the first half of the normal rows, and the test rows are all others.",
  ],
  unsupervised: [
    "## Unsupervised",
    "All rows are training and test rows. Trimmed: the score of a second model, which is fitted without the tenth of the rows that have the highest scores.",
  ],
};

const introduction = `# Anomaly detection on ADBench

Area under the ROC curve in percent, on the tables of ADBench (Han et al. 2022) with 1,000 rows or more. The published numbers are
those of Livernoche et al. (2024). Ours are from the default model of \`fitTable\` without test rows; seed 0; at most
10,000 training rows (only shuttle has more).

- score: that of \`TableModel.anomalies\`
- surprise, marginal surprise, distance, rank distance: the statistics that the score combines
- density: minus the log-density of the model

The score was chosen on these tables, in the setting of one class, so its mean rank on other tables may be worse.`;
