import { createInterface } from "node:readline";
import type { Measure } from "../speed/measure.ts";
import type { TrainingCase, TrainingStep } from "./maf.ts";
import { measureTraining, whyUnsupported } from "./measure.ts";

/** Serves the protocol of README.md for a peer that trains masked autoregressive flows. */
export async function serve(
  peer: string,
  versions: Readonly<Record<string, string>>,
  training: (settings: TrainingCase) => TrainingStep,
): Promise<void> {
  const measures = new Map<string, Measure>();
  answer({ peer, versions });
  for await (const line of createInterface({ input: process.stdin })) {
    const { case: settings, ...plan } = JSON.parse(line);
    const unsupported = whyUnsupported(settings);
    if (unsupported) {
      answer({ unsupported });
      continue;
    }
    try {
      const known = measures.get(settings.name);
      const measure = known ?? measureTraining(training, settings);
      measures.set(settings.name, measure);
      const { times, startMs } = await measure(plan);
      answer({ times, startMs: known ? 0 : startMs });
    } catch (error) {
      answer({ error: String(error) });
    }
  }
}

function answer(message: object): void {
  process.stdout.write(`${JSON.stringify(message)}\n`);
}
