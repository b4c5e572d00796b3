import { ncsf } from "../../../src/flows/index.ts";
import { table } from "../../speed/table.ts";
import { numbers, readColumns } from "../files.ts";
import { type Model, tableModels, trainModel } from "../models.ts";
import type { Protocol } from "../protocol.ts";
import { published } from "../published.ts";
import { countRows, type Rows, randomSplit, selectRows } from "../rows.ts";
import { mean, withError } from "../statistics.ts";

const csvFiles: Readonly<Record<string, string>> = { volcano: "volerup.csv", earthquake: "quakes_all.csv" };

/**
 * A chart of the unit sphere: two coordinates as a function of latitude and longitude in radians, and log |d coordinates / d area|,
 * which is added to log p of the coordinates to get log p per area. d area = cos(latitude) d latitude d longitude.
 */
interface Chart {
  coordinates(latitude: number, longitude: number): readonly [number, number];
  logJacobian(latitude: number): number;
}

const latitudeLongitude: Chart = {
  coordinates: (latitude, longitude) => [latitude, longitude],
  logJacobian: (latitude) => -Math.log(Math.cos(latitude)),
};

/** Lambert's cylindrical projection (pi sin(latitude), longitude), which scales all areas by pi. As a torus it joins the poles. */
const lambertCylinder: Chart = {
  coordinates: (latitude, longitude) => [Math.PI * Math.sin(latitude), longitude],
  logJacobian: () => Math.log(Math.PI),
};

/** Small batches are better for few rows, by the held-out rows. */
const settings = { optimizer: { learningRate: 3e-3, weightDecay: 0.3 }, batchSize: 32 };

const models: readonly (Model & { chart: Chart })[] = [
  { ...tableModels.NSF, chart: latitudeLongitude, settings },
  {
    name: "circular NSF",
    chart: lambertCylinder,
    build: ({ features, seed }) => ncsf(features, { transforms: 8, bins: 32, hidden: [64, 64], seed }),
    settings: { ...settings, epochs: 1000 },
  },
];

/** Densities of places on the Earth over the unit sphere. */
export const earth: Protocol = {
  name: "earth",
  description:
    "Densities on the sphere: places of volcanic eruptions and of earthquakes under the protocol of RSGM (De Bortoli et al. 2022): mean negative log-likelihood in nats per area of the unit sphere (lower is better), mean ± standard error over five random splits 80/10/10.",
  needsData: true,
  names: Object.keys(csvFiles),
  async run(run) {
    const publishedScores = published(run.data).earth_nll_sphere.rows as Record<
      string,
      Record<string, number>
    >;
    const names = Object.keys(csvFiles).filter((name) => run.only.test(name));
    const scores: Record<string, Record<string, number[]>> = {};
    for (const name of names) {
      const places = loadRadians(run.data, csvFiles[name]);
      scores[name] = Object.fromEntries(models.map((model) => [model.name, []]));
      for (let seed = run.seed; seed < run.seed + (run.quick ? 1 : 5); seed++) {
        for (const model of models) {
          const rows = toChart(places, model.chart);
          const [train, validation, test] = randomSplit(countRows(places), [0.8, 0.1], seed);
          const options = { ...run, seed, validation: { rows: selectRows(rows, validation) } };
          const { flow } = await trainModel(model, { rows: selectRows(rows, train) }, options);
          const logProb = await flow.logProb(selectRows(rows, test).values);
          const perArea = logProb.map(
            (value, i) => value + model.chart.logJacobian(places.values[2 * test[i]]),
          );
          scores[name][model.name].push(-mean(perArea));
        }
        run.log(`${name}, split ${seed}: ${JSON.stringify(scores[name])}`);
      }
    }
    const text = table(
      ["", ...names],
      [
        ...Object.entries(publishedScores).map(([model, row]) => [
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

const notes = `NSF is a flow on latitude and longitude in radians, with log p(sphere) = log p(latitude, longitude) - log cos(latitude). It does not
identify longitudes of -180 and 180 degrees. The circular NSF (\`ncsf\`) is a flow on (pi sin(latitude), longitude), a map that scales
all areas by pi. It identifies these longitudes, but also joins the two poles. The 827 eruptions are at only 267 distinct places,
since a volcano erupts repeatedly, and the 6,120 earthquakes at 5,447. The log-likelihood has no upper bound, since peaks at training
places can become ever narrower, so a lower number measures memorization of places as much as generalization.`;

function loadRadians(data: string, file: string): Rows {
  const columns = readColumns(data, "earth", file);
  const degrees = numbers([columns.get("lat")!, columns.get("lon")!]);
  return { features: 2, values: degrees.map((angle) => (angle * Math.PI) / 180) };
}

const toChart = ({ features, values }: Rows, { coordinates }: Chart): Rows => ({
  features,
  values: Float64Array.from(
    Array.from({ length: values.length / 2 }, (_, i) => coordinates(values[2 * i], values[2 * i + 1])).flat(),
  ),
});
