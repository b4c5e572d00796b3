import type { Page } from "playwright-core";
import type { Contestant } from "../speed/contestant.ts";
import type { Device, TrainingCase } from "./page.ts";

/** One of the libraries in the page, asked for times like the processes of bench/peers.ts. */
export async function contestantInPage(name: string, page: Page, device: Device): Promise<Contestant> {
  await page.evaluate(([name, device]) => window.bench.start(name, device), [name, device] as const);
  const contestant: Pick<Contestant, "name" | "ask"> = {
    name,
    ask: (benchCase, repeats, budgetMs) =>
      page
        .evaluate(
          ([name, benchCase, repeats, budgetMs]) => window.bench.measure(name, benchCase, repeats, budgetMs),
          [name, benchCase as TrainingCase, repeats, budgetMs] as const,
        )
        .catch((error: Error) => ({ error: error.message })),
  };
  return contestant as Contestant;
}
