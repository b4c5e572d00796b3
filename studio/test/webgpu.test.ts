import { decodeModel } from "pushforward/flows";
import { expect, test } from "vitest";
import { SOFTWARE_WEBGPU } from "../../test/browser/chromium.ts";
import { checkAppearance, optionsOf } from "./appearance.ts";
import { describePage, type Visit } from "./page.ts";

/** The flow has few operations, because a device in software compiles each of them. */
const SETTING = "#data=banana&rows=300&family=maf&layers=1&width=4&learningRate=0.05";

const devices = ({ page }: Visit) => page.getByRole("group", { name: "Device" });
async function chosenDevice(visit: Visit): Promise<string> {
  const chosen = devices(visit).locator("label", { has: visit.page.locator(":checked") });
  return (await chosen.textContent())!.trim();
}

const status = ({ page }: Visit) => page.getByRole("status").first().textContent();

/** Chooses the GPU, and waits until it computes. */
async function chooseGpu(visit: Visit): Promise<void> {
  await visit.page.getByText("GPU (WebGPU)").click();
  await visit.page.getByText("ONNX Runtime for the GPU is loading").waitFor({ state: "detached" });
}

async function trainEpochs(visit: Visit, epochs: number): Promise<void> {
  for (let epoch = 1; epoch <= epochs; epoch++) {
    await visit.button("One epoch").click();
    await expect.poll(() => visit.figure("epoch")).toBe(epoch);
  }
}

/** The parameters of the best epoch, from the model file. */
async function parameters(visit: Visit): Promise<number[]> {
  const { flow } = await decodeModel(new Uint8Array(await visit.download("Model")));
  return [...flow.parameters().values()].flatMap(({ numbers }) => [...numbers]);
}

const filesWithWebGpu = ({ files }: Visit) => files.filter((file) => /webgpu|asyncify/.test(file));

describePage(
  "a browser with WebGPU",
  (site) => {
    test("can train on the GPU, with the first steps of the CPU up to rounding", async () => {
      await using visit = await site.visit(SETTING);
      const { page } = visit;
      await expect.poll(() => chosenDevice(visit)).toBe("CPU (WebAssembly)");
      await trainEpochs(visit, 2);
      const onCpu = await parameters(visit);
      const address = page.url();
      expect(await page.getByText("The program trains this flow").textContent()).not.toContain("rounding");
      expect(filesWithWebGpu(visit)).toEqual([]);

      await chooseGpu(visit);
      expect(await visit.figure("epoch")).toBe(0);
      await trainEpochs(visit, 1);
      const first = await visit.figure("held-out NLL");
      await visit.button("One epoch").click();
      await expect.poll(() => visit.figure("epoch")).toBe(2);
      const second = await visit.figure("held-out NLL");
      expect(second).toBeLessThan(first);
      const onGpu = await parameters(visit);
      const errors = onGpu.map((value, i) => Math.abs(value - onCpu[i]!));
      expect(Math.max(...errors)).toBeLessThan(1e-6);
      // Without any difference, the CPU would have trained again.
      expect(Math.max(...errors)).toBeGreaterThan(0);
      expect(filesWithWebGpu(visit)).toHaveLength(2);

      await visit.button("Resume").click();
      await expect.poll(() => visit.figure("epoch")).toBeGreaterThan(3);
      await visit.button("Pause").click();
      await visit.button("Restart").click();
      await visit.button("Pause").click();
      await expect.poll(() => visit.figure("epoch")).toBeGreaterThan(0);
      expect(await page.getByText("The program trains this flow").textContent()).toContain("up to rounding");
      // The engine belongs to the machine, and not to the link.
      expect(page.url()).toBe(address);
      await checkAppearance(page, "gpu", { width: 1280, scheme: "light" });
      await page.setViewportSize({ width: 390, height: 900 });
      await page.emulateMedia({ colorScheme: "dark" });
      await checkAppearance(page, "gpu", { width: 390, scheme: "dark" });
      await page.reload();
      await expect.poll(() => chosenDevice(visit)).toBe("GPU (WebGPU)");
      expect(visit.problems).toEqual([]);
    });

    test("trains on the CPU when it loses the GPU, and says so", async () => {
      await using visit = await site.visit(SETTING);
      await trainEpochs(visit, 1);
      const onCpu = await visit.figure("held-out NLL");
      await chooseGpu(visit);
      for (const worker of visit.page.workers())
        await worker.evaluate(() => {
          const { createCommandEncoder } = GPUDevice.prototype;
          GPUDevice.prototype.createCommandEncoder = function (descriptor) {
            this.destroy();
            return createCommandEncoder.call(this, descriptor);
          };
        });
      await visit.button("One epoch").click();
      await visit.page.getByText("The GPU failed").waitFor();
      expect(await status(visit)).toMatchInlineSnapshot(
        `"The GPU failed. The CPU is used instead: the browser lost the GPU. Device was destroyed. "`,
      );
      expect(await chosenDevice(visit)).toBe("CPU (WebAssembly)");
      await expect.poll(() => visit.figure("epoch")).toBe(1);
      expect(await visit.figure("held-out NLL")).toBe(onCpu);
      expect(visit.problems).toEqual([]);
    });

    test("trains on the CPU if the engine for the GPU cannot be loaded, and says so", async () => {
      const window = { width: 390, scheme: "dark" } as const;
      await using visit = await site.visit(SETTING, optionsOf(window));
      await visit.page.route("**/*asyncify*.wasm", (route) => route.abort());
      await chooseGpu(visit);
      await visit.page.getByText("The GPU failed").waitFor();
      expect(await status(visit)).toContain(
        "The GPU failed. The CPU is used instead: the execution provider webgpu does not work",
      );
      expect(await chosenDevice(visit)).toBe("CPU (WebAssembly)");
      await trainEpochs(visit, 1);
      await checkAppearance(visit.page, "gpu-failure", window, { fullPage: false });
      await visit.page.getByText("Two moons").click();
      await visit.page.getByText("The GPU failed").waitFor({ state: "detached" });
    });
  },
  SOFTWARE_WEBGPU,
);

describePage("a browser without WebGPU", (site) => {
  test("has no choice of an engine, and says that a GPU that was chosen before is gone", async () => {
    await using visit = await site.visit(SETTING);
    const { page } = visit;
    await trainEpochs(visit, 1);
    // When this answer is there, that to the worker's own request is, too.
    for (const worker of page.workers())
      expect(await worker.evaluate(async () => (await navigator.gpu?.requestAdapter()) ?? null)).toBe(null);
    expect(await devices(visit).count()).toBe(0);
    await page.evaluate(() => localStorage.setItem("provider", "webgpu"));
    await page.reload();
    await page.getByText("The GPU failed").waitFor();
    expect(await status(visit)).toMatchInlineSnapshot(
      `"The GPU failed. The CPU is used instead: the browser has no WebGPU adapter. Before training, the density of the flow is nearly that of its base distribution, shifted and scaled to the points."`,
    );
    await trainEpochs(visit, 1);
    await page.reload();
    await trainEpochs(visit, 1);
    expect(await page.getByText("The GPU failed").count()).toBe(0);
    expect(visit.problems).toEqual([]);
  });
});
