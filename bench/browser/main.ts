/**
 * Our training step beside those of TensorFlow.js and jax-js in one page of Chromium, interleaved. bench/peers/README.md
 * says how to install these.
 *
 *     npm run bench:browser [-- --only PATTERN --device webgpu --rounds N --json FILE]
 *
 * A machine without a GPU has WebGPU in software.
 */
import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { CHROMIUM_IS_MISSING, findChromium, launchChromium } from "../../test/browser/chromium.ts";
import { loadCases } from "../speed/cases.ts";
import { comparisonRecord, comparisonTable } from "../speed/comparison.ts";
import { runRounds } from "../speed/rounds.ts";
import { contestantInPage, type Device } from "./contestant.ts";
import { serveSite } from "./site.ts";

const { values } = parseArgs({
  options: {
    only: { type: "string", default: "^train maf d[26] " },
    device: { type: "string", default: "wasm" },
    rounds: { type: "string", default: "5" },
    json: { type: "string" },
  },
});
const device = values.device as Device;
const cases = loadCases(values.only);
const chromium = findChromium();
if (!chromium) throw new Error(CHROMIUM_IS_MISSING);
const site = await serveSite();
const browser = await launchChromium(chromium, ["--enable-unsafe-webgpu"]);
try {
  const page = await browser.newPage();
  // After an error in a thread of the page, a request would never be answered.
  page.on("pageerror", (error) => {
    console.error(`in the page: ${error}`);
    browser.close();
  });
  await page.goto(site.address);
  const ours = await contestantInPage("pushforward", page, device);
  const peers = [
    await contestantInPage("tfjs", page, device),
    await contestantInPage("jax-js", page, device),
  ];
  // V8 first compiles WebAssembly to slow code, and optimizes only functions that run often.
  const long = { repeats: 1, budgetMs: 1000, warmUpMs: 2000 };
  for (const benchCase of cases) for (const each of [ours, ...peers]) await each.request(benchCase, long);
  const comparisons = await runRounds(cases, ours, peers, Number(values.rounds));
  console.log(`${browser.version()}, ${device}`);
  console.log(comparisonTable(comparisons));
  if (values.json) {
    writeFileSync(values.json, `${JSON.stringify(comparisons.map(comparisonRecord), null, 1)}\n`);
  }
} finally {
  await browser.close();
  await site.close();
}
