/**
 * Forms of a 3x3 convolution and its gradients as ONNX graphs, compared in interleaved runs on one thread. With fixed weights `conv2d` is the
 * runtime's convolution; otherwise its channels are in blocks, or it is a gather and a product if the number of rows is not fixed:
 *
 *     npx tsx bench/convolution.ts
 *
 * A training step on two threads computes half of the batch on each, so the rows are half of the batches of 32, 64 and 64 images that
 * bench/peers/torch_convolution.py measures with PyTorch on two threads.
 */
import { concat, conv2d, type Operation, Parameter, Tensor, vjp } from "../src/graph/index.ts";
import { Random } from "../src/random/index.ts";
import { compile } from "../src/runtime/index.ts";
import { median } from "./speed/statistics.ts";

const REPEATS = 15;
const WARM_UP = 2;

const sizes = [
  { rows: 16, side: 28, channels: 32 },
  { rows: 32, side: 14, channels: 64 },
  { rows: 32, side: 7, channels: 128 },
];

/** The convolution y of x [N, H, W, C] with w [3, 3, C, C], and for g = dL/dy the gradients of L with respect to x and w. */
interface Form {
  value(x: Tensor, w: Tensor): Tensor;
  gradients(x: Tensor, w: Tensor, g: Tensor): Tensor[];
  /** Whether the graph is compiled for any number of rows. */
  readonly acceptsAnyBatch?: boolean;
}

/** The runtime's convolution: x [N, C, H, W], w [O, C, 3, 3] -> [N, O, H, W]. */
const runtimeConvolution: Operation = {
  name: "runtimeConvolution",
  shape: ([x, w]) => [x.shape[0], w.shape[0], x.shape[2], x.shape[3]],
  emit: (onnx, inputs) => onnx.node("Conv", inputs, { pads: [1, 1, 1, 1], kernel_shape: [3, 3] }),
};

const apply = (operation: Operation, ...inputs: Tensor[]) => new Tensor(operation, inputs, {});
const channelsFirst = (x: Tensor) => x.transpose([0, 3, 1, 2]);
const channelsLast = (x: Tensor) => x.transpose([0, 2, 3, 1]);
/** The kernel of the convolution that computes the gradient with respect to x. */
const rotated = (w: Tensor) => w.flip(0).flip(1).transpose([0, 1, 3, 2]);

/** The nine images [N, H, W, C] that are shifted by the positions of the kernel. */
function shifted(x: Tensor): Tensor[] {
  const [, height, width] = x.shape as number[];
  const padded = x.pad(1, 1, 1).pad(2, 1, 1);
  return Array.from({ length: 9 }, (_, k) => {
    const [row, column] = [Math.floor(k / 3), k % 3];
    return padded.slice(1, row, row + height).slice(2, column, column + width);
  });
}

const matrix = (w: Tensor) => w.reshape([9 * (w.shape[2] as number), w.shape[3]]);
const bySlices = (x: Tensor, w: Tensor) => concat(shifted(x), 3).matmul(matrix(w));
const byNineProducts = (x: Tensor, w: Tensor) =>
  shifted(x)
    .map((image, k) =>
      image.matmul(
        w
          .slice(0, Math.floor(k / 3), Math.floor(k / 3) + 1)
          .slice(1, k % 3, (k % 3) + 1)
          .reshape(w.shape.slice(2)),
      ),
    )
    .reduce((a, b) => a.add(b));
const byRuntime = (x: Tensor, w: Tensor) =>
  channelsLast(apply(runtimeConvolution, channelsFirst(x), w.transpose([3, 2, 0, 1])));
const onePixel = (w: Tensor) => w.slice(0, 0, 1).slice(1, 0, 1);

const forms: Readonly<Record<string, Form>> = {
  conv2d: {
    value: conv2d,
    gradients: (x, w, g) => vjp([conv2d(x, w)], [x, w], [g]),
  },
  "gather and product": {
    value: conv2d,
    gradients: (x, w, g) => vjp([conv2d(x, w)], [x, w], [g]),
    acceptsAnyBatch: true,
  },
  "slices, concatenation and product": {
    value: bySlices,
    gradients: (x, w, g) => [bySlices(g, rotated(w)), concat(shifted(x), 3).contractLeading(g)],
  },
  "nine products of slices": {
    value: byNineProducts,
    gradients: (x, w, g) => [
      byNineProducts(g, rotated(w)),
      concat(
        shifted(x).map((image) => image.contractLeading(g)),
        0,
      ),
    ],
  },
  "Conv between transposes": {
    value: byRuntime,
    gradients: (x, w, g) => [byRuntime(g, rotated(w)), concat(shifted(x), 3).contractLeading(g)],
  },
  "1x1": {
    value: (x, w) => conv2d(x, onePixel(w)),
    gradients: (x, w, g) => vjp([conv2d(x, onePixel(w))], [x, w], [g]),
  },
};

for (const { rows, side, channels } of sizes) {
  const random = new Random(0);
  const normal = (size: number) => random.split(size).normal(new Float32Array(size));
  const pixels = rows * side * side * channels;
  const weights = 9 * channels * channels;
  const inputs = [normal(pixels), normal(weights), normal(pixels)];
  const image = ["N", side, side, channels] as const;
  const runs: { name: string; gflop: number; run: () => Promise<void>; times: number[] }[] = [];
  for (const [name, { value, gradients, acceptsAnyBatch = false }] of Object.entries(forms)) {
    const gflop = (2 * rows * side * side * (name === "1x1" ? channels * channels : weights)) / 1e9;
    const shapes = [image, [3, 3, channels, channels], image];
    const options = acceptsAnyBatch ? { threads: 1 } : { threads: 1, batch: rows };
    const forward = compile((x, w) => ({ y: value(x, w) }), shapes.slice(0, 2), options);
    runs.push({
      name,
      gflop,
      run: await forward.bind(inputs.slice(0, 2), { y: new Float32Array(pixels) }),
      times: [],
    });
    // With weights that are numbers in the graph, as where a trained flow draws or scores rows.
    const weight = new Parameter([3, 3, channels, channels], inputs[1] as Float32Array);
    const fixed = compile((x) => ({ y: value(x, weight) }), [image], { ...options, embedParameters: true });
    runs.push({
      name: `${name}, fixed weights`,
      gflop,
      run: await fixed.bind(inputs.slice(0, 1), { y: new Float32Array(pixels) }),
      times: [],
    });
    const all = compile(
      (x, w, g) => {
        const [gx, gw] = gradients(x, w, g);
        return { y: value(x, w), gx, gw: gw.reshape([weights]) };
      },
      shapes,
      options,
    );
    const outputs = {
      y: new Float32Array(pixels),
      gx: new Float32Array(pixels),
      gw: new Float32Array(weights),
    };
    runs.push({
      name: `${name}, with gradients`,
      gflop: 3 * gflop,
      run: await all.bind(inputs, outputs),
      times: [],
    });
  }
  for (let i = 0; i < WARM_UP + REPEATS; i++)
    for (const { run, times } of runs) {
      const start = performance.now();
      await run();
      if (i >= WARM_UP) times.push(performance.now() - start);
    }
  console.log(`\n${rows} images of ${side} x ${side} with ${channels} channels`);
  for (const { name, gflop, times } of runs) {
    const ms = median(times);
    console.log(`${name.padEnd(50)} ${ms.toFixed(2)} ms ${((1000 * gflop) / ms).toFixed(0)} GFLOP/s`);
  }
}
