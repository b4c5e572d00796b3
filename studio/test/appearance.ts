import { mkdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import type { AxeResults } from "axe-core";
import type { BrowserContextOptions, Page } from "playwright-core";
import { expect } from "vitest";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

export interface BrowserWindow {
  readonly width: number;
  readonly scheme: "light" | "dark";
}

/** The windows in which pages are tested: a wide and a narrow one, light and dark. */
export const WINDOWS = [1280, 390].flatMap((width) =>
  (["light", "dark"] as const).map((scheme): BrowserWindow => ({ width, scheme })),
);

/** Two of these windows, in which every width and every color scheme occurs: contrast depends on the scheme, and overflow on the width. */
export const OPPOSITE_WINDOWS: readonly BrowserWindow[] = [
  { width: 1280, scheme: "light" },
  { width: 390, scheme: "dark" },
];

/** The options of a page in a window, without animations. */
export const optionsOf = ({ width, scheme }: BrowserWindow): BrowserContextOptions => ({
  viewport: { width, height: 900 },
  colorScheme: scheme,
  reducedMotion: "reduce",
});

/**
 * Expects that axe-core finds no violation of accessibility in a page, and that the page is not wider than its window. Writes a picture of
 * the page to the folder dist/pictures beside that of the test.
 */
export async function checkAppearance(
  page: Page,
  name: string,
  { width, scheme }: BrowserWindow,
  { fullPage = true } = {},
): Promise<void> {
  expect({ name, violations: await violations(page) }).toEqual({ name, violations: [] });
  const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  expect({ name, overflow }).toEqual({ name, overflow: 0 });
  const folder = join(dirname(expect.getState().testPath!), "../dist/pictures");
  mkdirSync(folder, { recursive: true });
  await page.screenshot({ path: join(folder, `${name}-${width}-${scheme}.png`), fullPage });
}

/** The violations that axe-core finds, one line each. */
async function violations(page: Page): Promise<string[]> {
  await page.evaluate(axe);
  const results = (await page.evaluate("axe.run()")) as AxeResults;
  return results.violations.flatMap(({ id, nodes }) => nodes.map(({ target }) => `${id}: ${target}`));
}
