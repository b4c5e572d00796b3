import { readFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { decodeModel } from "pushforward/flows";
import { expect, inject, test } from "vitest";
import { longestTask } from "./mainThread.ts";
import { describePage } from "./page.ts";

describePage("training in the page", (site) => {
  test.each([
    ["spirals", 0.4],
    ["twoMoons", 0.15],
    ["eightGaussians", 0.2],
  ])("learns the %s to %s nats above their entropy, and keeps the page responsive", async (toy, nats) => {
    await using visit = await site.visit(`#data=${toy}`);
    const milliseconds = await longestTask(visit.page, async () => {
      await visit.button("Train").click();
      await expect.poll(() => visit.figure("above the entropy"), { timeout: 50_000 }).toBeLessThan(nats);
    });
    console.log(`${toy}: the longest task of the page took ${milliseconds.toFixed(0)} ms`);
    expect(milliseconds).toBeLessThan(50);
    expect(await visit.figure("above the entropy")).toBeGreaterThan(-0.1);
    expect(visit.problems).toEqual([]);
  });

  test("ends when no epoch is better for a while, shows the best one, and can be repeated", async () => {
    await using visit = await site.visit("#data=banana&rows=200&layers=1&width=4&learningRate=0.05");
    await visit.button("Train").click();
    await expect.poll(() => visit.button("Train again").isVisible(), { timeout: 50_000 }).toBe(true);
    expect(await visit.page.getByText("Training ended").textContent()).toContain(
      "The figures show the best epoch.",
    );
    const best = await visit.figure("held-out NLL");
    expect(best).toBeLessThan(5);
    // The exported model is that of the best epoch, and the last epoch was not better.
    const { flow } = await decodeModel(new Uint8Array(await visit.download("Model")));
    await visit.dataSpace.press("ArrowRight");
    await visit.page.getByText("drawn to scale").waitFor();
    const { x, y, nats } = await visit.pointDensity();
    const [logDensity] = await flow.logProb([x, y]);
    expect(Math.abs(logDensity! - nats)).toBeLessThan(0.05);
    await visit.button("Train again").click();
    await expect.poll(() => visit.figure("epoch")).toBeGreaterThan(0);
    expect(visit.problems).toEqual([]);
  });

  test("loads less than 250 kB of compressed JavaScript for the first view", async () => {
    await using visit = await site.visit();
    await expect.poll(() => visit.button("One epoch").isEnabled()).toBe(true);
    const folder = inject("folder");
    const scripts = visit.files.filter((file) => file.endsWith(".js"));
    const bytes = [...new Set(scripts)].map((file) => gzipSync(readFileSync(join(folder, file))).length);
    const total = bytes.reduce((sum, each) => sum + each, 0);
    console.log(`first view: ${(total / 1000).toFixed(0)} kB of compressed JavaScript`);
    expect(total).toBeLessThan(250_000);
    expect(visit.problems).toEqual([]);
  });

  test("pauses, takes single epochs, resumes, and takes the same course again with the same seed", async () => {
    await using visit = await site.visit("#data=twoMoons&rows=1000&layers=2&width=8");
    const { page } = visit;
    const epoch = () => visit.figure("epoch");
    // Two clicks train two epochs, although the first one is still running at the second click.
    await visit.button("One epoch").dblclick();
    await expect.poll(epoch).toBe(2);
    const after2 = await visit.figure("held-out NLL");
    await visit.button("Resume").click();
    await expect.poll(epoch).toBeGreaterThan(4);
    await visit.button("Pause").click();
    // The epoch that was running when the button was pressed still arrives.
    await page.waitForTimeout(300);
    const paused = await epoch();
    await page.waitForTimeout(300);
    expect(await epoch()).toBe(paused);
    await visit.button("Restart").click();
    await visit.button("Pause").click();
    await expect.poll(epoch).toBeGreaterThanOrEqual(1);
    while ((await epoch()) < 2) {
      const before = await epoch();
      await visit.button("One epoch").click();
      await expect.poll(epoch).toBeGreaterThan(before);
    }
    expect(await epoch()).toBe(2);
    expect(await visit.figure("held-out NLL")).toBe(after2);
    expect(visit.problems).toEqual([]);
  });
});
