/**
 * Trains a flow of `imageFlows` on MNIST, and the same flow from the same initial parameters in PyTorch (bench/peers/torch_images.py), with
 * Adam, a constant learning rate of 0.001 and gradients clipped to a norm of 5:
 *
 *     npx tsx bench/images/curves.ts --flow imageGlow [--steps 2000 --batch 64] TRAINING_IMAGES...
 *
 * The two programs draw different batches and different noise. Prints the median training loss of each 100 steps in bits per dimension, the
 * seconds of training, and the peak memory of both processes. It is the median because a single batch with a huge loss would determine the mean.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { z } from "zod";
import { imageBlocks } from "../../src/images/files/imageRows.ts";
import { imageRows } from "../../src/images/files/index.ts";
import { bitsPerDimension } from "../../src/images/model/index.ts";
import { openImages } from "../../src/open/index.ts";
import { encodeModel } from "../../src/tables/model/index.ts";
import { initialize, minimize } from "../../src/train/index.ts";
import { withoutBlasSettings } from "../speed/contestant.ts";
import { THREADS } from "../speed/protocol.ts";
import { median } from "../speed/statistics.ts";
import { table } from "../speed/table.ts";
import { imageFlows, PIXELS } from "./flows.ts";

const STEPS_PER_LINE = 100;

const lineSchema = z.union([
  z.object({ step: z.number(), loss: z.number(), seconds: z.number() }),
  z.object({ peak: z.number() }),
]);

/** The lines of a training run, and its peak memory in MB. */
interface Curve {
  readonly lines: readonly { step: number; loss: number; seconds: number }[];
  readonly peak: number;
}

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    flow: { type: "string", default: "imageGlow" },
    steps: { type: "string", default: "2000" },
    batch: { type: "string", default: "64" },
  },
});
const steps = Number(options.steps);

/** Trains with pushforward, and writes the initial model. */
async function ours(model: string): Promise<Curve> {
  const flow = imageFlows[options.flow]!();
  const images = await openImages(positionals);
  const rows = await imageRows(images);
  await initialize(flow, rows.sample);
  writeFileSync(model, encodeModel({ flow }));
  const lines: { step: number; loss: number; seconds: number }[] = [];
  const controller = new AbortController();
  let losses: number[] = [];
  let start = performance.now();
  await minimize(({ values }) => flow.logProb(values).neg(), flow, rows, {
    validationFraction: 0,
    epochs: steps,
    batchSize: Number(options.batch),
    optimizer: { learningRate: 1e-3 },
    clipNorm: 5,
    averageDecay: 0,
    threads: THREADS,
    signal: controller.signal,
    onProgress({ step, loss }) {
      // The first step also compiles the graphs. Both programs measure the steps after it.
      if (step === 1) {
        console.error("the first step takes", ((performance.now() - start) / 1000).toFixed(1), "s");
        start = performance.now();
      }
      losses.push(loss);
      if (step % STEPS_PER_LINE === 0) {
        const seconds = (performance.now() - start) / 1000;
        lines.push({ step, loss: median(losses), seconds });
        console.error(step, bits(median(losses)), seconds.toFixed(0));
        losses = [];
      }
      if (step >= steps) controller.abort();
    },
  });
  return { lines, peak: process.resourceUsage().maxRSS / 1024 };
}

/** Trains with PyTorch from the model and the pixels of files. */
async function theirs(model: string, pixels: string): Promise<Curve> {
  const script = fileURLToPath(new URL("../peers/torch_images.py", import.meta.url));
  const args = [
    script,
    "--model",
    model,
    "--pixels",
    pixels,
    "--steps",
    `${steps}`,
    "--batch",
    options.batch,
  ];
  const child = spawn(process.env.PYTHON ?? "python3", [...args, "--threads", `${THREADS}`], {
    env: withoutBlasSettings(process.env),
    stdio: ["ignore", "pipe", "inherit"],
  });
  const closed = once(child, "close");
  const lines: Curve["lines"][number][] = [];
  let peak = 0;
  for await (const text of createInterface({ input: child.stdout })) {
    console.error(text);
    const line = lineSchema.parse(JSON.parse(text));
    if ("peak" in line) peak = line.peak;
    else lines.push(line);
  }
  const [code] = await closed;
  if (code !== 0) throw new Error(`PyTorch's training ended with exit code ${code}`);
  return { lines, peak };
}

async function writePixels(path: string): Promise<void> {
  const blocks: Uint8Array[] = [];
  for await (const { values } of imageBlocks(await openImages(positionals)))
    blocks.push(Uint8Array.from(values));
  writeFileSync(path, Buffer.concat(blocks));
}

const bits = (loss: number) => bitsPerDimension(-loss, PIXELS).toFixed(3);

const folder = mkdtempSync(join(tmpdir(), "image-curves-"));
try {
  const [model, pixels] = [join(folder, "model.safetensors"), join(folder, "pixels")];
  const our = await ours(model);
  await writePixels(pixels);
  const their = await theirs(model, pixels);
  const rows = our.lines.map((line, i) => {
    const other = their.lines[i]!;
    return [
      `${line.step}`,
      bits(other.loss),
      bits(line.loss),
      other.seconds.toFixed(0),
      line.seconds.toFixed(0),
    ];
  });
  const header = ["step", "PyTorch: bits", "pushforward: bits", "PyTorch: seconds", "pushforward: seconds"];
  console.log(table(header, rows));
  console.log(`\nPeak memory in MB: PyTorch ${their.peak.toFixed(0)}, pushforward ${our.peak.toFixed(0)}`);
} finally {
  rmSync(folder, { recursive: true });
}
