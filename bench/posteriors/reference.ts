import { readColumns, readText } from "../papers/files.ts";

/** Mean, standard deviation and quantiles of the reference draws of a parameter. */
export interface Reference {
  readonly mean: number;
  readonly sd: number;
  readonly q5: number;
  readonly q95: number;
}

/** The data of a posterior of posteriordb, from a folder with `NAME.data.json.gz`. The part of a name before its first `-` names the data. */
export const readData = (folder: string, posterior: string): never =>
  JSON.parse(readText(folder, `${posterior.split("-")[0]}.data.json.gz`)) as never;

/** The reference draws of a posterior, summarized, by the names that `elementNames` gives: `beta[0]` for Stan's `beta[1]`. */
export function readReference(folder: string, posterior: string): Map<string, Reference> {
  const columns = readColumns(folder, `${posterior}.draws.csv.gz`);
  return new Map(
    [...columns].map(([name, cells]) => {
      const values = Float64Array.from(cells, Number).sort();
      const mean = values.reduce((sum, x) => sum + x, 0) / values.length;
      const variance = values.reduce((sum, x) => sum + (x - mean) ** 2, 0) / (values.length - 1);
      const quantile = (p: number) => values[Math.round(p * (values.length - 1))];
      const zeroBased = name.replace(/\d+/g, (index, at: number) =>
        name[at - 1] === "[" ? `${Number(index) - 1}` : index,
      );
      return [zeroBased, { mean, sd: Math.sqrt(variance), q5: quantile(0.05), q95: quantile(0.95) }];
    }),
  );
}
