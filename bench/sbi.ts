/**
 * Compares posteriors of `fitPosterior` with reference draws of the SBI benchmark, and prints a table of classifier two-sample tests (C2ST).
 * The number is the accuracy of a classifier that separates the two sets of draws: 0.5, that of guessing, is the best value, and 1 the
 * worst.
 *
 *     npm run bench:sbi -- FOLDER [--simulations 1000] [--seed 0] [TASK...]
 *
 * FOLDER has the data of https://github.com/sbi-benchmark/sbibm: TASK/observation_K.csv and TASK/reference_K.csv.gz. The program needs
 * python3 with numpy and scikit-learn, because the published numbers are from scikit-learn's classifier.
 */
import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { fitPosterior, simulate } from "../src/inference/index.ts";
import { tasks } from "./sbi/tasks.ts";

const { values, positionals } = parseArgs({
  options: { simulations: { type: "string", default: "1000" }, seed: { type: "string", default: "0" } },
  allowPositionals: true,
});
const [folder, ...names] = positionals;
if (folder === undefined) throw new Error("usage: npm run bench:sbi -- FOLDER [--simulations N] [TASK...]");
const [count, seed] = [Number(values.simulations), Number(values.seed)];
/** As many as the reference draws of an observation. */
const DRAWS = 10_000;
const scratch = mkdtempSync(join(tmpdir(), "sbi-"));

console.log(
  "| task | simulations | C2ST by observation | mean | held-out nats | seconds |\n| --- | --- | --- | --- | --- | --- |",
);
for (const name of names.length > 0 ? names : Object.keys(tasks)) {
  const path = join(folder, name);
  const simulator = tasks[name]!(path);
  const start = performance.now();
  const simulations = await simulate(simulator, count, { seed });
  const posterior = await fitPosterior(simulator, { simulations, seed, threads: 1 });
  const seconds = (performance.now() - start) / 1000;
  const accuracies: number[] = [];
  for (let k = 1; existsSync(join(path, `observation_${k}.csv`)); k++) {
    const observed = readFileSync(join(path, `observation_${k}.csv`), "utf8")
      .trim()
      .split("\n")[1]!;
    const { theta } = await posterior.sample(observed.split(",").map(Number), DRAWS, { seed: k });
    const file = join(scratch, "samples.csv");
    const columns = theta!.length / DRAWS;
    const lines = Array.from({ length: DRAWS }, (_, i) =>
      theta!.subarray(i * columns, (i + 1) * columns).join(","),
    );
    writeFileSync(file, ["samples", ...lines].join("\n"));
    const script = join(import.meta.dirname, "sbi/c2st.py");
    const reference = join(path, `reference_${k}.csv.gz`);
    const python = process.env.PYTHON ?? "python3";
    const accuracy = Number(execFileSync(python, [script, reference, file], { encoding: "utf8" }));
    console.error(`${name}, observation ${k}: ${accuracy.toFixed(3)}`);
    accuracies.push(accuracy);
  }
  const mean = accuracies.reduce((a, b) => a + b) / accuracies.length;
  const cells = accuracies.map((each) => each.toFixed(3)).join(" ");
  const nats = posterior.validationLogDensity.toFixed(2);
  console.log(`| ${name} | ${count} | ${cells} | ${mean.toFixed(3)} | ${nats} | ${seconds.toFixed(0)} |`);
  await posterior.flow.release();
}
rmSync(scratch, { recursive: true });
