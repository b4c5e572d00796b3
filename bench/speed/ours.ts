/** Ourselves as a contestant of bench/peers.ts: the protocol is in bench/peers/README.md. */
import { createInterface } from "node:readline";
import { type Measure, measureOf } from "./measure.ts";

const measures = new Map<string, Measure>();
const say = (answer: object) => process.stdout.write(`${JSON.stringify(answer)}\n`);

say({ peer: "pushforward", versions: {} });
for await (const line of createInterface({ input: process.stdin })) {
  const { case: benchCase, ...plan } = JSON.parse(line);
  try {
    const measure = measures.get(benchCase.name) ?? measureOf(benchCase);
    const first = !measures.has(benchCase.name);
    measures.set(benchCase.name, measure);
    const { times, startMs } = await measure(plan);
    say({ times, startMs: first ? startMs : 0 });
  } catch (error) {
    say({ error: (error as Error).message });
  }
}
process.exit();
