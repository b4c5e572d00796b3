import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, inject, test } from "vitest";
import { checkAppearance, OPPOSITE_WINDOWS, optionsOf } from "../../studio/test/appearance.ts";
import { describePage } from "../../studio/test/page.ts";

const PAGES = {
  home: "",
  "which-flow": "docs/which-flow.html",
  gallery: "docs/gallery.html",
  training: "docs/training.html",
  reference: "api/pushforward/",
  class: "api/pushforward/classes/Flow.html",
  example: "examples/two-moons.html",
};

describePage("the site", (site) => {
  test.each(OPPOSITE_WINDOWS)(
    "has no violation of accessibility and no overflow at $width pixels, $scheme",
    async (window) => {
      await using visit = await site.visit("", optionsOf(window));
      const { page } = visit;
      // Leaving a page while it loads cancels its requests.
      await page.waitForLoadState("networkidle");
      for (const [name, path] of Object.entries(PAGES)) {
        await page.goto(`${site.address}${path}`);
        await page.locator("h1").first().waitFor();
        await page.waitForLoadState("networkidle");
        await checkAppearance(page, name, window, { fullPage: false });
      }
      expect(visit.problems).toEqual([]);
    },
  );

  test("links lead from the first page to the documentation and to the studio, and the search finds a page", async () => {
    await using visit = await site.visit();
    const { page } = visit;
    await page.getByRole("link", { name: "Get started" }).click();
    await expect.poll(() => page.title()).toContain("Getting started");
    await page.keyboard.press("Control+k");
    await page.getByRole("searchbox").fill("planar");
    const found = page.locator("#localsearch-list a");
    await expect.poll(() => found.first().textContent()).toMatch(/planar/i);
    await page.keyboard.press("Escape");
    await page.getByRole("link", { name: "Studio", exact: true }).first().click();
    await expect.poll(() => page.title()).toBe("pushforward studio");
    await page.getByRole("button", { name: "Train", exact: true }).waitFor();
    expect(visit.problems).toEqual([]);
  });

  test("llms.txt lists the documentation, and its links exist", () => {
    const folder = inject("folder");
    const text = readFileSync(join(folder, "llms.txt"), "utf8");
    const links = Array.from(text.matchAll(/\]\((.*?)\)/g), ([, path]) => path!);
    expect(links.length).toBeGreaterThan(25);
    expect(links.filter((path) => !existsSync(join(folder, path)))).toEqual([]);
  });
});
