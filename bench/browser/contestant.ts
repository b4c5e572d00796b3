import type { Page } from "playwright-core";
import type { MeasurementSource } from "../speed/contestant.ts";
import type { Device, TrainingCase } from "./page.ts";

/** A library in the page. It answers the same requests for times as the processes of bench/peers.ts. */
export async function contestantInPage(name: string, page: Page, device: Device): Promise<MeasurementSource> {
  await page.evaluate(([name, device]) => window.bench.start(name, device), [name, device] as const);
  return {
    name,
    request: (benchCase, plan) =>
      page
        .evaluate(([name, benchCase, plan]) => window.bench.measure(name, benchCase, plan), [
          name,
          benchCase as TrainingCase,
          plan,
        ] as const)
        .catch((error: Error) => ({ error: error.message })),
  };
}
