import { table } from "../../speed/table.ts";
import { numbers, readColumns } from "../files.ts";
import { type Model, tableModels, trained } from "../models.ts";
import type { Protocol } from "../protocol.ts";
import { published } from "../published.ts";
import { countRows, type Rows, selectRows, shares } from "../rows.ts";
import { mean, withError } from "../statistics.ts";

const files: Readonly<Record<string, string>> = { volcano: "volerup.csv", earthquake: "quakes_all.csv" };
const models: readonly Model[] = [tableModels["Real NVP"], tableModels.MAF, tableModels.NSF];

/** Places on the Earth, as densities over the unit sphere. */
export const earth: Protocol = {
  name: "earth",
  about:
    "Densities on the sphere: places of volcanic eruptions and of earthquakes under the protocol of RSGM (De Bortoli et al. 2022): mean negative log-likelihood in nats per area of the unit sphere (lower is better), mean ± standard error over five random splits 80/10/10.",
  readsData: true,
  async run(run) {
    const papers = published(run.data).earth_nll_sphere.rows as Record<string, Record<string, number>>;
    const names = Object.keys(files).filter((name) => run.only.test(name));
    const scores: Record<string, Record<string, number[]>> = {};
    for (const name of names) {
      const rows = inRadians(run.data, files[name]);
      const uniform: number[] = [];
      scores[name] = { uniform };
      for (let seed = run.seed; seed < run.seed + (run.quick ? 1 : 5); seed++) {
        const [train, validation, test] = shares(countRows(rows), [0.8, 0.1], seed).map((part) => ({
          rows: selectRows(rows, part),
        }));
        uniform.push(Math.log(4 * Math.PI));
        for (const model of models) {
          const settings = { ...run, seed, validation, minutes: run.minutes ?? 1 };
          const { flow } = await trained(model, train, settings);
          scores[name][model.name] ??= [];
          scores[name][model.name].push(await sphereLoss(flow, test.rows));
        }
        run.log(`${name}, split ${seed}: ${JSON.stringify(scores[name])}`);
      }
    }
    const text = table(
      ["", ...names],
      [
        ...Object.entries(papers).map(([model, row]) => [
          `${model}, paper`,
          ...names.map((name) => row[name].toFixed(2)),
        ]),
        ["uniform on the sphere", ...names.map(() => Math.log(4 * Math.PI).toFixed(2))],
        ...models.map(({ name: model }) => [
          `${model}, ours`,
          ...names.map((name) => withError(scores[name][model])),
        ]),
      ],
    );
    return { text: `${text}\n\n${notes}`, json: scores };
  },
};

const notes = `Ours are flows on latitude and longitude: log p(sphere) = log p(latitude, longitude in radians) - log cos(latitude). They do
not know that longitudes of -180 and 180 degrees are the same. Places repeat in both files (a volcano erupts again), so a
density is rewarded for peaks at places it has seen; a mean may be dominated by few rows.`;

function inRadians(data: string, file: string): Rows {
  const columns = readColumns(data, "earth", file);
  const degrees = numbers([columns.get("lat")!, columns.get("lon")!]);
  return { features: 2, values: degrees.map((angle) => (angle * Math.PI) / 180) };
}

/** Mean of -log p per area of the unit sphere, whose element is cos(latitude) d latitude d longitude. */
export async function sphereLoss(
  flow: { logProb(x: Float64Array): Promise<Float64Array> },
  rows: Rows,
): Promise<number> {
  const logProb = await flow.logProb(rows.values);
  return -mean(logProb.map((value, i) => value - Math.log(Math.cos(rows.values[2 * i]))));
}
