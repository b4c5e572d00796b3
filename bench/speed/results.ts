import { type Alone, aloneTable } from "./alone.ts";
import { type Comparison, comparisonTable } from "./comparison.ts";
import { digits, table } from "./table.ts";

/** The text of bench/RESULTS.md. */
export const resultsText = (
  circumstances: Readonly<Record<string, string>>,
  peak: number,
  ours: readonly Alone[],
  comparisons: readonly Comparison[],
): string => `# Speed

Written by \`npm run bench:peers -- --results\`. Both sides compute on two threads.

${table(["", "value"], Object.entries(circumstances))}

## Beside the peers

Interleaved in one run; medians over all repeats. The ratio is the peer's time over ours, its spread the interquartile range of
the ratios of single rounds; a floor is what zuko's ratio has to reach. Start is the time to the first result, building the model
included: the peer's, then ours. What differs between the peers is in [peers/README.md](peers/README.md).

${comparisonTable(comparisons)}

## Beside the machine

The peak of matrix products is ${digits(peak)} GFLOP/s (1024 x 1024, through ONNX Runtime, the better of one and two threads).
GFLOP/s count the products with weights that a mask leaves, and so does the share of the peak; the share that is performed counts
all that is multiplied. Quartiles are of single repeats in milliseconds.

${aloneTable(ours)}
`;
