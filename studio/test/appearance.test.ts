import { mkdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import type { AxeResults } from "axe-core";
import { beforeAll, expect, test } from "vitest";
import { CHAPTER_NAMES, chapters } from "../app/read/chapters.ts";
import { describePage, type Visit } from "./page.ts";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const pictures = fileURLToPath(new URL("../dist/pictures", import.meta.url));

/** The violations that axe-core finds, one line each. */
async function violations({ page }: Visit): Promise<string[]> {
  await page.evaluate(axe);
  const results = (await page.evaluate("axe.run()")) as AxeResults;
  return results.violations.flatMap(({ id, nodes }) => nodes.map(({ target }) => `${id}: ${target}`));
}

describePage("the page", (site) => {
  beforeAll(() => void mkdirSync(pictures, { recursive: true }));

  const looks = [1280, 390].flatMap((width) =>
    (["light", "dark"] as const).map((scheme) => ({ width, scheme })),
  );

  test.each(looks)("has no violation of accessibility, and fits, at $width pixels, $scheme", async (look) => {
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
    expect(await violations(visit)).toEqual([]);
    const overflow = () => page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    expect(await overflow()).toBeLessThanOrEqual(0);
    await page.screenshot({ path: `${pictures}/train-${width}-${scheme}.png`, fullPage: true });
    for (const chapter of CHAPTER_NAMES) {
      await page.goto(`${site.address}#read=${chapter}`);
      await page.getByRole("heading", { name: chapters[chapter].title, exact: true }).waitFor();
      await page.locator("article p").first().waitFor();
      await page.waitForLoadState("networkidle");
      expect({ chapter, found: await violations(visit) }).toEqual({ chapter, found: [] });
      expect({ chapter, overflow: await overflow() }).toEqual({ chapter, overflow: 0 });
      await page.screenshot({ path: `${pictures}/${chapter}-${width}-${scheme}.png`, fullPage: true });
    }
    expect(visit.problems).toEqual([]);
  });
});
