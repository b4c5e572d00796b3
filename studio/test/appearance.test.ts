import { expect, test } from "vitest";
import { CHAPTER_NAMES, chapters } from "../app/read/chapters.ts";
import { checkAppearance, OPPOSITE_WINDOWS, optionsOf, WINDOWS } from "./appearance.ts";
import { describePage } from "./page.ts";

describePage("the page", (site) => {
  // Every chapter is loaded and checked.
  const limit = { timeout: 180_000 };

  test.each(WINDOWS)(
    "of training has no violation of accessibility and no overflow at $width pixels, $scheme",
    limit,
    async (window) => {
      const setting = "#data=twoMoons&layers=2&width=16&learningRate=0.01";
      await using visit = await site.visit(setting, optionsOf(window));
      const { page } = visit;
      await visit.button("Train").click();
      await expect.poll(() => visit.figure("epoch")).toBeGreaterThan(3);
      await visit.button("Pause").click();
      await visit.dataSpace.click({ position: { x: 100, y: 100 } });
      await expect.poll(() => page.getByText("drawn to scale").isVisible()).toBe(true);
      await page.getByText("Show the program").click();
      await checkAppearance(page, "train", window);
      expect(visit.problems).toEqual([]);
    },
  );

  test.each(OPPOSITE_WINDOWS)(
    "of each chapter has no violation of accessibility and no overflow at $width pixels, $scheme",
    limit,
    async (window) => {
      await using visit = await site.visit("#data=twoMoons&layers=2&width=16", optionsOf(window));
      const { page } = visit;
      for (const chapter of CHAPTER_NAMES) {
        await page.goto(`${site.address}#read=${chapter}`);
        await page.getByRole("heading", { name: chapters[chapter].title, exact: true }).waitFor();
        await page.locator("article p").first().waitFor();
        await page.waitForLoadState("networkidle");
        await expect.poll(() => page.getByText("The model is loading").count()).toBe(0);
        await checkAppearance(page, chapter, window);
      }
      expect(visit.problems).toEqual([]);
    },
  );
});
