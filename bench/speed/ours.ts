/** The process that measures pushforward for bench/peers.ts. bench/peers/README.md has the protocol. */
import { createInterface } from "node:readline";
import { type Measure, prepareMeasurement } from "./measure.ts";

const measures = new Map<string, Measure>();
const respond = (answer: object) => process.stdout.write(`${JSON.stringify(answer)}\n`);

respond({ peer: "pushforward", versions: {} });
for await (const line of createInterface({ input: process.stdin })) {
  const { case: benchCase, ...plan } = JSON.parse(line);
  try {
    const known = measures.get(benchCase.name);
    const start = performance.now();
    const measure = known ?? prepareMeasurement(benchCase);
    const buildMs = performance.now() - start;
    measures.set(benchCase.name, measure);
    const { times, startMs } = await measure(plan);
    respond({ times, startMs: known ? 0 : buildMs + startMs });
  } catch (error) {
    respond({ error: (error as Error).message });
  }
}
process.exit();
