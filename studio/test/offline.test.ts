import { expect, test } from "vitest";
import { describePage } from "./page.ts";

describePage("a later visit", (site) => {
  test("needs no network", { timeout: 120_000 }, async () => {
    await using visit = await site.visit("#data=twoMoons&rows=300", { serviceWorkers: "allow" });
    const { page } = visit;
    // A worker is active when all files are kept.
    await page.evaluate(() => navigator.serviceWorker.ready.then(({ active }) => active!.scriptURL));
    await page.context().setOffline(true);
    await page.reload();
    await visit.button("One epoch").click();
    await expect.poll(() => visit.figure("epoch")).toBe(1);
    await page.getByRole("link", { name: "Read" }).click();
    await page.getByRole("heading", { name: "Why one Gaussian is not enough" }).waitFor();
    expect(visit.problems).toEqual([]);
  });
});
