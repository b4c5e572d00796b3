/**
 * Compares posteriors of `fitPosterior` with reference draws of the SBI benchmark by classifier two-sample tests (C2ST).
 *
 *     npm run bench:sbi -- FOLDER [--simulations 1000] [--observations 5] [TASK...]
 *
 * FOLDER has the data of https://github.com/sbi-benchmark/sbibm: TASK/observation_K.csv and TASK/reference_K.csv.gz. The results are written to
 * bench/sbi/results.json and bench/sbi/RESULTS.md. A result that is there already is kept, so that an interrupted run continues.
 */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { fitPosterior } from "../src/inference/index.ts";
import { formatFolder } from "./format.ts";
import { numbers, readColumns } from "./papers/files.ts";
import { c2st } from "./sbi/c2st.ts";
import { type Run, resultsPage } from "./sbi/results.ts";
import { tasks } from "./sbi/tasks.ts";

/** As many as the reference draws of an observation. */
const DRAWS = 10_000;
const SEED = 0;
const RESULTS = new URL("sbi/results.json", import.meta.url);
const PAGE = new URL("sbi/RESULTS.md", import.meta.url);

const { values, positionals } = parseArgs({
  options: {
    simulations: { type: "string", default: "1000" },
    observations: { type: "string", default: "5" },
  },
  allowPositionals: true,
});
const [folder, ...names] = positionals;
if (folder === undefined) throw new Error("usage: npm run bench:sbi -- FOLDER [--simulations N] [TASK...]");
const [simulations, observations] = [Number(values.simulations), Number(values.observations)];
const runs: Run[] = existsSync(RESULTS) ? JSON.parse(readFileSync(RESULTS, "utf8")) : [];

for (const task of names.length > 0 ? names : Object.keys(tasks)) {
  let run = runs.find((each) => each.task === task && each.simulations === simulations);
  if (run && run.accuracies.length >= observations) continue;
  const path = join(folder, task);
  const posterior = await fitPosterior(tasks[task]!(path), { simulations, seed: SEED, threads: 1 });
  if (!run) {
    const { validationLogDensity } = posterior;
    run = { task, simulations, seed: SEED, validationLogDensity, accuracies: [] };
    runs.push(run);
  }
  for (let k = run.accuracies.length + 1; k <= observations; k++) {
    const observed = numbers([...readColumns(path, `observation_${k}.csv`).values()]);
    const reference = numbers([...readColumns(path, `reference_${k}.csv.gz`).values()]);
    const { theta } = await posterior.sample(observed, DRAWS, { seed: k });
    run.accuracies.push(await c2st(reference, theta!, theta!.length / DRAWS));
    console.log(
      `${task}, ${simulations} simulations, observation ${k}: ${run.accuracies.at(-1)!.toFixed(3)}`,
    );
    writeFileSync(RESULTS, `${JSON.stringify(runs, null, 2)}\n`);
    writeFileSync(PAGE, resultsPage(runs));
  }
  await posterior.flow.release();
}
formatFolder("sbi");
