import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { availableParallelism, release, totalmem } from "node:os";
import { join } from "node:path";
import { PushforwardError } from "../check/index.ts";
import { StandardNormal } from "../distributions/index.ts";
import { Flow, maf } from "../flows/index.ts";
import { OPTIONAL_PACKAGES, VERSION } from "../package/index.ts";
import { Random } from "../random/index.ts";
import { providerProblems } from "../runtime/index.ts";
import { fit } from "../train/index.ts";

/** Lists the versions, the machine and the execution providers, and tests computations. Throws `ENGINE` if the CPU fails. */
export async function diagnose(): Promise<string> {
  const { platform, arch, version } = process;
  const lines: [string, string][] = [
    ["pushforward", VERSION],
    ["Node", `${version.slice(1)}, ${platform} ${release()}, ${arch}`],
    ["cores", `${availableParallelism()}, the default number of threads`],
    ["memory", `${(totalmem() / 2 ** 30).toFixed(1)} GiB`],
    ...["onnxruntime-node", "onnxruntime-web", ...Object.keys(OPTIONAL_PACKAGES)].map(
      (name): [string, string] => [name, installedVersion(name) ?? "not installed"],
    ),
    ...(await providers()),
    ["test", await selfTest()],
  ];
  const width = Math.max(...lines.map(([term]) => term.length)) + 2;
  return lines.map(([term, text]) => `${term.padEnd(width)}${text}\n`).join("");
}

/** For each execution provider of onnxruntime-node, whether it computes on this machine. */
async function providers(): Promise<[string, string][]> {
  const found = await providerProblems().catch((error: Error) => error);
  if (found instanceof Error) return [["providers", `none: ${found.message.split("\n")[0]}`]];
  return found.map(({ name, problem }) => [`provider ${name}`, problem ? problem.what : "works"]);
}

/** The version of a package that this program would import; undefined if there is none. */
function installedVersion(name: string): string | undefined {
  const directories = createRequire(import.meta.url).resolve.paths(name) ?? [];
  const file = directories.map((directory) => join(directory, name, "package.json")).find(existsSync);
  return file && JSON.parse(readFileSync(file, "utf8")).version;
}

/** Computes log N((1, 2); 0, I) = -(1 + 4) / 2 - log(2 pi), and trains a flow for five epochs. Takes about a second. */
async function selfTest(): Promise<string> {
  const start = performance.now();
  const normal = new Flow(new StandardNormal({ features: 2 }));
  const [logProb] = await normal.logProb([[1, 2]], undefined, { threads: 1 });
  const expected = -2.5 - Math.log(2 * Math.PI);
  const flow = maf(2, { transforms: 2, hidden: [8] });
  const rows = new Random(0).normal(new Float64Array(1000)).map((z) => 3 * z);
  const { validationLogDensity } = await fit(flow, rows, { epochs: 5, threads: 1 });
  await normal.release();
  await flow.release();
  const isCorrect = Math.abs(logProb! - expected) < 1e-5 && Number.isFinite(validationLogDensity);
  if (!isCorrect) {
    throw new PushforwardError("ENGINE", "ONNX Runtime computes wrong numbers on this machine", {
      expected: `${expected}, and a finite log-density after training`,
      received: `${logProb}, and ${validationLogDensity}`,
      hint: "Reinstall onnxruntime-node, or report this with the output of pushforward doctor.",
    });
  }
  return `passed in ${((performance.now() - start) / 1000).toFixed(1)} s: a known log-density, and a training run`;
}
