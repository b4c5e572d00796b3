import { expect, test } from "vitest";
import { SOFTWARE_WEBGPU } from "../../test/browser/chromium.ts";
import { describePage } from "./page.ts";

describePage("a later visit", (site) => {
  test("needs no network", { timeout: 120_000 }, async () => {
    await using visit = await site.visit("#data=twoMoons&rows=300", { serviceWorkers: "allow" });
    const { page } = visit;
    // A worker is active when all files are kept.
    await page.evaluate(() => navigator.serviceWorker.ready.then(({ active }) => active!.scriptURL));
    // Files that are not of the build are not cached: another site may have the same address later.
    await page.waitForFunction(() => navigator.serviceWorker.controller);
    const others = await page.evaluate(async () => {
      await fetch("assets/other.txt");
      await new Promise((resolve) => setTimeout(resolve, 500));
      const [name] = await caches.keys();
      const requests = await (await caches.open(name!)).keys();
      return requests.filter(({ url }) => url.includes("other")).length;
    });
    expect(others).toBe(0);
    await page.context().setOffline(true);
    await page.reload();
    await visit.button("One epoch").click();
    await expect.poll(() => visit.figure("epoch")).toBe(1);
    await page.getByRole("link", { name: "Read" }).click();
    await page.getByRole("heading", { name: "Why one Gaussian is not enough" }).waitFor();
    expect(visit.problems).toEqual([]);
  });
});

describePage(
  "a later visit with a GPU",
  (site) => {
    test("needs no network if the GPU was used before", { timeout: 120_000 }, async () => {
      // The flow has few operations, because a device in software compiles each of them.
      const setting = "#data=banana&rows=300&family=maf&layers=1&width=4";
      await using visit = await site.visit(setting, { serviceWorkers: "allow" });
      const { page } = visit;
      const cachedWebAssembly = () =>
        page.evaluate(async () => {
          const [name] = await caches.keys();
          const requests = await (await caches.open(name!)).keys();
          return requests.map(({ url }) => /[\w.-]+(?=-[\w-]+\.wasm$)/.exec(url)?.[0]).filter(Boolean);
        });
      await page.waitForFunction(() => navigator.serviceWorker.controller);
      expect(await cachedWebAssembly()).toEqual(["ort-wasm-simd-threaded"]);
      const loading = page.getByText("ONNX Runtime for the GPU is loading");
      await page.getByText("GPU (WebGPU)").click();
      await loading.waitFor();
      await loading.waitFor({ state: "detached" });
      await expect.poll(cachedWebAssembly).toContain("ort-wasm-simd-threaded.asyncify");
      await page.context().setOffline(true);
      await page.reload();
      const gpu = page.getByRole("radio", { name: "GPU (WebGPU)", checked: true });
      await gpu.waitFor();
      await visit.button("One epoch").click();
      await expect.poll(() => visit.figure("epoch"), { timeout: 60_000 }).toBe(1);
      // Without the GPU, the epoch would have been trained on the CPU.
      expect(await gpu.count()).toBe(1);
      expect(await page.getByText("The GPU failed").count()).toBe(0);
      expect(visit.problems).toEqual([]);
    });
  },
  SOFTWARE_WEBGPU,
);
