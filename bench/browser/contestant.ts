import type { Page } from "playwright-core";
import type { Case } from "../speed/cases.ts";
import type { MeasurementSource } from "../speed/contestant.ts";
import type { Plan } from "../speed/measure.ts";
import type { Answer } from "../speed/protocol.ts";

export type Device = "wasm" | "webgpu";

/** What the page offers to the script that drives it. */
export interface PageBench {
  start(name: string, device: Device): Promise<void>;
  /** Each answer has the time to the first result, since the first one may be to a request for warm-up. */
  measure(name: string, benchCase: Case, plan: Plan): Promise<Answer>;
}

declare global {
  interface Window {
    bench: PageBench;
  }
}

/** A library in the page. It answers the same requests for times as the processes of bench/peers.ts. */
export async function contestantInPage(name: string, page: Page, device: Device): Promise<MeasurementSource> {
  await page.evaluate(([name, device]) => window.bench.start(name, device), [name, device] as const);
  return {
    name,
    request: (benchCase, plan) =>
      page
        .evaluate(([name, benchCase, plan]) => window.bench.measure(name, benchCase, plan), [
          name,
          benchCase,
          plan,
        ] as const)
        .catch((error: Error) => ({ error: error.message })),
  };
}
