// Demonstrates the command line on real data, after a build: fits a week of earthquakes, scores the rows, and draws new ones.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync } from "node:fs";
import { fileURLToPath } from "node:url";

process.chdir(fileURLToPath(new URL("..", import.meta.url)));
const command = "dist/cli/main.js";
if (!existsSync(command)) {
  console.error("Error: dist/ does not exist.\nRun npm run demo, which builds it first.");
  process.exit(2);
}
mkdirSync("demo", { recursive: true });

function pushforward(...commandArguments) {
  console.log(`\n$ pushforward ${commandArguments.join(" ")}`);
  const { status, signal } = spawnSync(process.execPath, [command, ...commandArguments], {
    stdio: "inherit",
  });
  if (status !== 0) process.exit(status ?? (signal === "SIGINT" ? 130 : 1));
}

const [data, model] = ["examples/data/earthquakes.csv", "demo/model.safetensors"];
const start = performance.now();
console.log(`All earthquakes of one week, recorded by the USGS: ${data}`);
pushforward("fit", data, "-o", model, "--pictures", "demo", "--max-minutes", "0.75", "--overwrite");
pushforward("score", model, data, "-o", "demo/scored.csv");
pushforward("sample", model, "-n", "1000", "-o", "demo/samples.csv");

console.log(`
Done in ${Math.round((performance.now() - start) / 1000)} seconds. The directory demo/ now contains
  model.safetensors   the model
  scored.csv          the earthquakes with their log-densities; a low log-density means an unusual earthquake
  samples.csv         1,000 new earthquakes, drawn from the model
  samples.png         a figure that compares data and samples
  training.png        the training curve

Next, try your own table:
  node ${command} fit YOUR.csv --pictures pictures
  node ${command} --help`);
