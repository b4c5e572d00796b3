import { readFileSync, writeFileSync } from "node:fs";
import { beforeAll, expect, test } from "vitest";
import { checkProvider } from "../../src/runtime/devices.ts";
import { loadEngine } from "../../src/runtime/engine.ts";
import { EARTHQUAKES, rowsOf, workplace } from "./command.ts";

const { path, outputs, failure, json } = workplace();

const NO_ADAPTER = "there is no WebGPU adapter on this machine: install a Vulkan driver";
let hasWebGpu: boolean;

beforeAll(async () => {
  const works = () => true;
  hasWebGpu = await checkProvider("webgpu", await loadEngine({})).then(works, () => false);
  // Only some reporters of Vitest show why a test was skipped.
  if (!hasWebGpu) console.warn(`--provider webgpu is not tested: ${NO_ADAPTER}.`);
});

test("a provider that does not work is an error before the command reads anything", async () => {
  for (const words of [
    ["fit", "absent.csv"],
    ["score", "absent", "absent.csv", "-o", "-"],
    ["serve", "absent"],
  ])
    expect(await failure(...words, "--provider", "cuda")).toMatchInlineSnapshot(`
      "1
      Error: onnxruntime-node is installed without the libraries of the execution provider cuda.
      npm rebuild onnxruntime-node downloads them with its install script. They need a GPU with an NVIDIA driver, CUDA 12 and cuDNN 9. Omit the provider to compute on the CPU."
    `);
});

test("--threads cannot be combined with --provider", async () => {
  expect(await failure("fit", "absent.csv", "--provider", "webgpu", "--threads", "2")).toMatchInlineSnapshot(`
    "2
    Error: --threads cannot be combined with --provider.
    Leave --threads out: one thread sends all rows to webgpu."
  `);
});

test("infer computes in float64, which WebGPU does not have", async () => {
  expect(await failure("infer", "absent.ts", "--provider", "webgpu")).toMatchInlineSnapshot(`
    "2
    Error: --provider cannot be webgpu: expected one of cuda.
    Choose one of them: --provider cuda"
  `);
});

test("--provider webgpu computes what the CPU computes", async (context) => {
  if (!hasWebGpu) return context.skip(NO_ADAPTER);
  const training = "--flow maf --transforms 1 --hidden 4 --epochs 1 --batch-size 512".split(" ");
  const [cpu, webgpu] = [path("cpu.safetensors"), path("webgpu.safetensors")];
  const onWebGpu = ["--provider", "webgpu"];
  const fit = async (...words: string[]) => (await json("fit", EARTHQUAKES, ...training, ...words)).at(-1)!;
  const expected = await fit("-o", cpu);
  const trained = await fit("-o", webgpu, ...onWebGpu);
  expect(trained.validationLogDensity).toBeCloseTo(expected.validationLogDensity as number, 4);

  // In float32 the density of the last row is 0, so the CPU computes it in float64.
  const rows = readFileSync(EARTHQUAKES, "utf8").split("\n").slice(0, 300);
  writeFileSync(path("rows.csv"), [...rows, "1e39,0,0,0", ""].join("\n"));
  const scores = async (...words: string[]) => {
    const { out } = await outputs("score", cpu, path("rows.csv"), "-o", "-", ...words);
    return rowsOf(out).map((row) => Number(row.at(-1)));
  };
  const [ours, theirs] = [await scores(), await scores(...onWebGpu)];
  expect(theirs).toHaveLength(300);
  for (const [row, logDensity] of theirs.entries())
    expect(Math.abs(logDensity / ours[row]! - 1)).toBeLessThan(1e-5);
});
