import { type Comparison, comparisonTable } from "./comparison.ts";
import { digits, table } from "./table.ts";
import { type Utilization, utilizationTable } from "./utilization.ts";

/** The text of bench/RESULTS.md. */
export const resultsText = (
  environment: Readonly<Record<string, string>>,
  peak: number,
  ours: readonly Utilization[],
  comparisons: readonly Comparison[],
): string => `# Speed

Written by \`npm run bench:peers -- --results\`. All libraries use two threads, except tfjs and jax-js, which
have one in Node.

${table(["", "value"], Object.entries(environment))}

## Comparison with other libraries

All libraries were measured in one run, in alternation. Times are medians over all repeats. The ratio is the peer's time divided by
pushforward's; its spread is the interquartile range of the ratios of the rounds; the target is the ratio required against zuko.
Start is the time to the first result, including building the model: the peer's, then pushforward's.
[peers/README.md](peers/README.md) describes how the peers differ.

${comparisonTable(comparisons)}

## Utilization of the processor

The peak of matrix products is ${digits(peak)} GFLOP/s (1024 x 1024, in ONNX Runtime, the better of one and two threads). GFLOP/s and
the share of the peak count the products with weights that are not masked; the executed share counts all products, including
those with masked zeros. Quartiles are over repeats, in milliseconds.

${utilizationTable(ours)}
`;
