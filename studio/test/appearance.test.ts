import { mkdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { beforeAll, expect, test } from "vitest";
import { CHAPTER_NAMES, chapters } from "../app/read/chapters.ts";
import { LOOKS, overflow, violations } from "./accessibility.ts";
import { describePage } from "./page.ts";

const pictures = fileURLToPath(new URL("../dist/pictures", import.meta.url));

describePage("the page", (site) => {
  beforeAll(() => void mkdirSync(pictures, { recursive: true }));

  // Every chapter is loaded and looked at.
  const limit = { timeout: 180_000 };

  test.each(LOOKS)(
    "has no violation of accessibility, and fits, at $width pixels, $scheme",
    limit,
    async (look) => {
      const { width, scheme } = look;
      const options = {
        viewport: { width, height: 900 },
        colorScheme: scheme,
        reducedMotion: "reduce",
      } as const;
      await using visit = await site.visit("#data=twoMoons&layers=2&width=16&learningRate=0.01", options);
      const { page } = visit;
      await visit.button("Train").click();
      await expect.poll(() => visit.figure("epoch")).toBeGreaterThan(3);
      await visit.button("Pause").click();
      await visit.dataSpace.click({ position: { x: 100, y: 100 } });
      await expect.poll(() => page.getByText("drawn to scale").isVisible()).toBe(true);
      await page.getByText("Show the program").click();
      expect(await violations(page)).toEqual([]);
      expect(await overflow(page)).toBeLessThanOrEqual(0);
      await page.screenshot({ path: `${pictures}/train-${width}-${scheme}.png`, fullPage: true });
      for (const chapter of CHAPTER_NAMES) {
        await page.goto(`${site.address}#read=${chapter}`);
        await page.getByRole("heading", { name: chapters[chapter].title, exact: true }).waitFor();
        await page.locator("article p").first().waitFor();
        await page.waitForLoadState("networkidle");
        expect({ chapter, found: await violations(page) }).toEqual({ chapter, found: [] });
        expect({ chapter, overflow: await overflow(page) }).toEqual({ chapter, overflow: 0 });
        await page.screenshot({ path: `${pictures}/${chapter}-${width}-${scheme}.png`, fullPage: true });
      }
      expect(visit.problems).toEqual([]);
    },
  );
});
