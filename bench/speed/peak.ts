import { compile } from "../../src/runtime/index.ts";
import { normalRows } from "./flows.ts";

const SIZE = 1024;
const REPEATS = 20;

/**
 * The machine's peak in GFLOP/s: the fastest of several products of 1024 x 1024 matrices in ONNX Runtime, on one or two
 * threads.
 */
export async function matrixPeak(): Promise<number> {
  const [a, b] = [0, 1].map(() => normalRows(SIZE, SIZE));
  const output = new Float32Array(SIZE * SIZE);
  let fastest = Number.POSITIVE_INFINITY;
  for (const threads of [1, 2]) {
    const square = [SIZE, SIZE];
    const product = compile((a, b) => a.matmul(b), [square, square], { threads });
    for (let i = 0; i < REPEATS; i++) {
      const start = performance.now();
      await product.into([a, b], { output });
      if (i > 0) fastest = Math.min(fastest, performance.now() - start);
    }
    await product.release();
  }
  return (2 * SIZE ** 3) / (fastest * 1e6);
}
