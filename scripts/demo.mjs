// The main job on real data, after a build: learns the density of a week of earthquakes, scores the rows, draws new ones.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync } from "node:fs";
import { fileURLToPath } from "node:url";

process.chdir(fileURLToPath(new URL("..", import.meta.url)));
const command = "dist/cli/main.js";
if (!existsSync(command)) {
  console.error("Error: there is no build.\nRun npm run demo, which builds first.");
  process.exit(2);
}
mkdirSync("demo", { recursive: true });

function pushforward(...words) {
  console.log(`\n$ pushforward ${words.join(" ")}`);
  const { status, signal } = spawnSync(process.execPath, [command, ...words], { stdio: "inherit" });
  if (status !== 0) process.exit(status ?? (signal === "SIGINT" ? 130 : 1));
}

const [data, model] = ["examples/data/earthquakes.csv", "demo/model.safetensors"];
const start = performance.now();
console.log(`All earthquakes of one week, by the USGS: ${data}`);
pushforward("fit", data, "-o", model, "--pictures", "demo", "--max-minutes", "1", "--overwrite");
pushforward("score", model, data, "-o", "demo/scored.csv");
pushforward("sample", model, "-n", "1000", "-o", "demo/samples.csv");

console.log(`
Done in ${Math.round((performance.now() - start) / 1000)} seconds. The directory demo/ now has
  model.safetensors   the model
  scored.csv          the earthquakes with their log-density: those with the lowest are the most unusual
  samples.csv         1,000 earthquakes that never happened
  samples.png         data beside samples
  training.png        the training curve

Try next, with a table of your own:
  node ${command} fit YOUR.csv --pictures pictures
  node ${command} --help`);
