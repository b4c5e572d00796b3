import { expect, test } from "vitest";
import { FAMILY_NAMES, familyOf } from "../app/families.ts";
import { CHAPTER_NAMES } from "../app/read/chapters.ts";
import { describePage, numberOf, type Visit } from "./page.ts";

/** The pixels of a figure, to see whether it has changed. */
const picture = ({ page }: Visit, name: string): Promise<string> =>
  page.locator(`[data-figure=${name}] canvas`).evaluate((canvas: HTMLCanvasElement) => canvas.toDataURL());

/** The pixels of a figure when they no longer change. Figures are painted some frames after the texts beside them. */
async function finalPicture(visit: Visit, name: string): Promise<string> {
  for (let before = await picture(visit, name); ; ) {
    await visit.page.waitForTimeout(500);
    const after = await picture(visit, name);
    if (after === before) return after;
    before = after;
  }
}

async function expectChange(visit: Visit, name: string, act: () => Promise<unknown>): Promise<void> {
  const before = await picture(visit, name);
  await act();
  await expect.poll(() => picture(visit, name)).not.toBe(before);
}

describePage("controls", (site) => {
  test("every family takes an epoch, and shows its grid and the density of a point", {
    timeout: 120_000,
  }, async () => {
    await using visit = await site.visit("#data=twoMoons&rows=300");
    const { page } = visit;
    for (const family of FAMILY_NAMES) {
      await page.getByLabel("Family").selectOption(family);
      const layers = Math.min(2, familyOf(family).maxLayers);
      if (layers > 1) await page.getByRole("slider", { name: /^Layers \d/ }).fill("2");
      await expectChange(visit, "grid", async () => {
        await visit.button("One epoch").click();
        await expect.poll(() => visit.figure("epoch")).toBe(1);
      });
      await visit.dataSpace.click({ position: { x: 250, y: 200 } });
      await expect
        .poll(() => page.getByRole("rowheader", { name: /^log det/ }).count())
        .toBeGreaterThan(layers);
    }
    expect(visit.problems).toEqual([]);
  });

  test("the slider and the terms of the sum choose the layer whose formula is shown, with its log-determinant", async () => {
    await using visit = await site.visit("#data=twoMoons&family=realNVP&layers=2&width=8");
    const { page } = visit;
    await visit.button("One epoch").click();
    await expect.poll(() => visit.figure("epoch")).toBe(1);
    expect(visit.files.some((file) => file.includes("katex"))).toBe(false);
    await visit.dataSpace.click({ position: { x: 250, y: 200 } });
    const formula = page.getByRole("region", { name: /^Formula/ });
    const math = formula.locator("div[role=math]");
    await page.getByLabel("Layers applied").fill("1.5");
    await expect.poll(() => formula.getByRole("heading").textContent()).toBe("Formula: coupling 2");
    const row = page.getByRole("row", { name: /coupling 2/ });
    const term = numberOf((await row.locator(".number").textContent())!);
    await expect
      .poll(() => math.getAttribute("aria-label"))
      .toMatch(new RegExp(` = ${term.toFixed(3).replace(".", "\\.")}$`));
    await page.getByRole("button", { name: "log p(z), base" }).click();
    await expect.poll(() => math.getAttribute("aria-label")).toContain("z_1^2 + z_2^2");
    expect(await page.locator(".place").textContent()).toBe("latent space");
    expect(visit.problems).toEqual([]);
  });

  test("samples flow from the base distribution to the data", async () => {
    await using visit = await site.visit("#data=twoMoons&family=maf&layers=2&width=8&base=studentT");
    const { page } = visit;
    await visit.button("One epoch").click();
    await expect.poll(() => visit.figure("epoch")).toBe(1);
    await finalPicture(visit, "grid");
    await expectChange(visit, "grid", () => page.getByText("Samples", { exact: true }).click());
    await expectChange(visit, "grid", () => page.getByRole("button", { name: /^Play/ }).click());
    await expect.poll(() => page.locator(".place").textContent(), { timeout: 10_000 }).toBe("data space");
    const end = await finalPicture(visit, "grid");
    await expectChange(visit, "grid", () => page.getByLabel("Layers applied").fill("1.5"));
    await page.getByLabel("Layers applied").fill("3");
    await expect.poll(() => picture(visit, "grid")).toBe(end);
    expect(visit.problems).toEqual([]);
  });

  test("with reduced motion samples move one layer at a time", async () => {
    await using visit = await site.visit("#data=banana&layers=2", { reducedMotion: "reduce" });
    const { page } = visit;
    await expect.poll(() => visit.button("One epoch").isEnabled()).toBe(true);
    await page.getByText("Samples", { exact: true }).click();
    const places: (string | null)[] = [];
    for (let k = 0; k < 4; k++) {
      await page.getByRole("button", { name: /^Play/ }).click();
      places.push(await page.locator(".place").textContent());
    }
    expect(places).toEqual(["latent space", "after layer 1 of 3", "after layer 2 of 3", "data space"]);
    expect(visit.problems).toEqual([]);
  });

  test("sliders, seed and the layers of the grid", async () => {
    await using visit = await site.visit("#data=banana");
    const { page } = visit;
    await page.getByLabel("Objective").selectOption("reverse");
    await expect.poll(() => page.url()).toContain("objective=reverse");
    await page.getByLabel("Objective").selectOption("likelihood");
    await page.getByLabel(/^Base distribution/).selectOption("mixture");
    await expect.poll(() => page.url()).toContain("base=mixture");
    await page.getByLabel(/^Base distribution/).selectOption("normal");
    // While a slider is dragged, its text changes, and the setting does not.
    const drag = (name: RegExp, value: string) =>
      page.getByRole("slider", { name }).evaluate((input: HTMLInputElement, position) => {
        input.value = position;
        input.dispatchEvent(new Event("input", { bubbles: true }));
      }, value);
    await drag(/^Layers \d/, "7");
    await drag(/^Hidden units/, "4");
    await page.getByRole("slider", { name: "Layers 7" }).waitFor();
    await page.getByRole("slider", { name: "Hidden units per layer 128" }).waitFor();
    expect(page.url()).toContain("layers=4&width=32");
    await page.getByRole("slider", { name: /^Layers \d/ }).fill("3");
    await page.getByLabel(/Hidden units/).fill("0");
    await page.getByLabel(/Learning rate/).fill("5");
    await page.getByLabel("Seed").fill("12");
    await page.getByLabel("Seed").press("Enter");
    await expect.poll(() => page.url()).toMatch(/layers=3&width=8&learningRate=0.01&seed=12$/);
    await visit.button("One epoch").click();
    await expect.poll(() => visit.figure("epoch")).toBe(1);
    await page.getByLabel("Seed").fill("12.2");
    await page.getByLabel("Seed").press("Enter");
    expect(await page.getByLabel("Seed").inputValue()).toBe("12");
    expect(await visit.figure("epoch")).toBe(1);
    await expectChange(visit, "grid", () => page.getByLabel("Layers applied").fill("1.5"));
    await expect.poll(() => page.locator(".place").textContent()).toBe("after layer 2 of 4");
    await page.getByRole("button", { name: /^Play/ }).click();
    await expect.poll(() => page.locator(".place").textContent(), { timeout: 10_000 }).toBe("data space");
    await page.getByRole("button", { name: /^Appearance/ }).click();
    await page.getByRole("button", { name: /^Appearance/ }).click();
    expect(await page.evaluate(() => document.documentElement.dataset.theme)).toBe("dark");
    expect(visit.problems).toEqual([]);
  });

  test("a change of the setting that keeps the structure of the flow discards its trained parameters", async () => {
    await using visit = await site.visit("#data=twoMoons&rows=300&layers=1&width=4&learningRate=0.05");
    await expect.poll(() => visit.page.getByLabel("Layers applied").isEnabled()).toBe(true);
    const initial = await finalPicture(visit, "latent");
    await visit.button("Train").click();
    await expect.poll(() => visit.figure("epoch")).toBeGreaterThan(3);
    await visit.button("Pause").click();
    expect(await finalPicture(visit, "latent")).not.toBe(initial);
    await visit.page.getByLabel(/Learning rate/).fill("5");
    await expect.poll(() => visit.figure("epoch")).toBe(0);
    expect(await finalPicture(visit, "latent")).toBe(initial);
    expect(visit.problems).toEqual([]);
  });

  test("a point that is selected before the density is computed gets its terms", async () => {
    await using visit = await site.visit("#data=banana");
    await visit.page.waitForFunction(() => {
      const canvas = document.querySelector<HTMLCanvasElement>("[data-figure=data] canvas");
      // The figure has the size of its frame when the points are there.
      if (!canvas || canvas.width === 300) return false;
      const { left, top } = canvas.getBoundingClientRect();
      const position = { clientX: left + 200, clientY: top + 200 };
      canvas.dispatchEvent(new PointerEvent("pointerdown", { bubbles: true, ...position }));
      return true;
    });
    await expect.poll(() => visit.page.getByText("drawn to scale").isVisible()).toBe(true);
    expect(visit.problems).toEqual([]);
  });

  test("points that a reader draws are learned, and in the link", { timeout: 120_000 }, async () => {
    await using visit = await site.visit();
    const { page } = visit;
    await page.getByText("Draw points").click();
    await expect.poll(() => visit.button("One epoch").isDisabled()).toBe(true);
    const box = (await page.locator("[data-figure=data] canvas").boundingBox())!;
    await page.mouse.move(box.x + 100, box.y + 100);
    await page.mouse.down();
    for (let k = 0; k < 40; k++) await page.mouse.move(box.x + 100 + 6 * k, box.y + 100 + 4 * k);
    await page.mouse.up();
    await expect.poll(() => page.url()).toMatch(/#points=-?[\d.]+_/);
    await visit.button("One epoch").click();
    await expect.poll(() => visit.figure("epoch")).toBe(1);
    await using again = await site.visit(new URL(page.url()).hash);
    await again.button("One epoch").click();
    await expect.poll(() => again.figure("epoch")).toBe(1);
    expect(await again.figure("held-out NLL")).toBe(await visit.figure("held-out NLL"));
    await visit.button("Clear").click();
    await expect.poll(() => page.getByText("A flow needs at least").isVisible()).toBe(true);
    await visit.dataSpace.focus();
    for (const key of ["ArrowUp", "Enter", "Enter"]) await page.keyboard.press(key);
    await expect.poll(() => visit.button("One epoch").isEnabled()).toBe(true);
    // New points would end the training, so there are none after it has begun.
    await visit.button("One epoch").click();
    await expect.poll(() => visit.figure("epoch")).toBe(1);
    await visit.dataSpace.press("Enter");
    expect(await visit.figure("epoch")).toBe(1);
    expect(await page.getByText("Draw in data space").count()).toBe(0);
    await visit.button("Draw more points").click();
    await expect.poll(() => page.getByText("40 points.").isVisible()).toBe(true);
    await visit.dataSpace.press("Enter");
    await expect.poll(() => page.getByText("60 points.").isVisible()).toBe(true);
    expect([...visit.problems, ...again.problems]).toEqual([]);
  });

  test("a drawing that begins at once has no points of the previous data", async () => {
    await using visit = await site.visit("#data=banana");
    await expect.poll(() => visit.button("Train").isEnabled()).toBe(true);
    await visit.page.getByText("Draw points").evaluate((choice: HTMLElement) => {
      choice.click();
      const canvas = document.querySelector("[data-figure=data] canvas")!;
      const { left, top } = canvas.getBoundingClientRect();
      for (const type of ["pointerdown", "pointerup"])
        canvas.dispatchEvent(
          new PointerEvent(type, { bubbles: true, clientX: left + 200, clientY: top + 200 }),
        );
    });
    await expect.poll(() => visit.page.url()).toMatch(/#points=([-\d.]+_){3}[-\d.]+&/);
    expect(visit.problems).toEqual([]);
  });

  test("without storage, and with dropped text and files, the page stays", async () => {
    await using visit = await site.visit();
    const { page } = visit;
    await page.addInitScript(() =>
      Object.defineProperty(window, "localStorage", {
        get: () => {
          throw new DOMException("blocked", "SecurityError");
        },
      }),
    );
    await page.reload();
    await page.getByRole("button", { name: "Appearance: Automatic" }).click();
    await page.getByRole("button", { name: "Appearance: Light" }).waitFor();
    const prevented = await page.evaluate(() => {
      const [text, file] = [new DataTransfer(), new DataTransfer()];
      text.setData("text/plain", "1, 2");
      file.items.add(new File(["1,2"], "table.csv"));
      return [text, file].flatMap((dataTransfer) =>
        ["dragover", "drop"].map((type) => {
          const event = new DragEvent(type, { bubbles: true, cancelable: true, dataTransfer });
          document.body.dispatchEvent(event);
          return event.defaultPrevented;
        }),
      );
    });
    expect(prevented).toEqual([false, false, true, true]);
    expect(visit.problems).toEqual([]);
  });

  test("a pasted table is learned, and its columns are chosen", async () => {
    await using visit = await site.visit();
    const { page } = visit;
    await page.getByText("Your table").click();
    const rows = Array.from({ length: 60 }, (_, i) => [i, Math.sin(i) / 100, 1000 + Math.cos(i)].join(","));
    await page.getByRole("textbox").fill(`time,a,b\n${rows.join("\n")}`);
    await expect.poll(() => page.getByText("60 rows").isVisible()).toBe(true);
    await expectChange(visit, "data", () => page.getByLabel("Column for x").selectOption("b"));
    // Before training the mass is already where the points are.
    await visit.dataSpace.press("ArrowRight");
    await page.getByText("drawn to scale").waitFor();
    const { x, nats } = await visit.pointDensity();
    expect(x).toBeCloseTo(1000, 0);
    expect(nats).toBeGreaterThan(-10);
    await visit.button("One epoch").click();
    await expect.poll(() => visit.figure("epoch")).toBe(1);
    // The standard deviation of column a is small, so densities are larger than 1.
    expect(await visit.figureText("held-out NLL")).toMatch(/^−\d/);
    // A visit to a chapter, and other data, do not lose the table.
    const pages = page.getByRole("navigation", { name: "Pages" });
    await pages.getByText("Read").click();
    await page.getByRole("heading", { name: "Why one Gaussian is not enough" }).waitFor();
    await pages.getByText("Train").click();
    for (const data of [undefined, "Banana"]) {
      if (data) await page.getByText(data).click();
      if (data) await page.getByText("Your table").click();
      expect(await page.getByText("60 rows").isVisible()).toBe(true);
      expect(await page.getByLabel("Column for x").inputValue()).toBe("2");
      await expect.poll(() => page.url()).toContain("from=table");
    }
    await page.getByRole("textbox").fill("no numbers");
    await expect.poll(() => page.getByRole("alert").textContent()).toContain("needs two columns of numbers");
    expect(visit.problems).toEqual([]);
  });

  test("a table that is pasted while a file is being read replaces the file", async () => {
    await using visit = await site.visit("#layers=1&width=4");
    const { page } = visit;
    await page.getByText("Your table").click();
    await page.evaluate(() => {
      const { text } = Blob.prototype;
      Blob.prototype.text = async function () {
        await new Promise((resolve) => setTimeout(resolve, 500));
        return text.call(this);
      };
    });
    const table = (rows: number) =>
      `a,b\n${Array.from({ length: rows }, (_, i) => `${i},${i % 7}`).join("\n")}`;
    const file = { name: "slow.csv", mimeType: "text/csv", buffer: Buffer.from(table(30)) };
    await page.locator("input[type=file]").setInputFiles(file);
    await page.getByRole("textbox").fill(table(45));
    await page.getByText("45 rows").waitFor();
    await page.waitForTimeout(1500);
    expect(await page.getByText("45 rows", { exact: true }).isVisible()).toBe(true);
    expect(visit.problems).toEqual([]);
  });

  test("the suggestions of all chapters train", { timeout: 180_000 }, async () => {
    await using visit = await site.visit(`#read=${CHAPTER_NAMES[0]}`);
    const { page } = visit;
    for (const [i, chapter] of CHAPTER_NAMES.entries()) {
      await expect.poll(() => page.url()).toContain(`read=${chapter}`);
      const tries = page.getByRole("button", { name: "Try" });
      await tries.first().waitFor();
      // The first thing to try may be to draw.
      await tries.last().click();
      await expect.poll(() => visit.button("Pause").isVisible()).toBe(true);
      await expect.poll(() => visit.figure("epoch")).toBeGreaterThan(0);
      if (i < CHAPTER_NAMES.length - 1) await page.getByRole("link", { name: /^Next/ }).click();
    }
    expect(visit.problems).toEqual([]);
  });

  test("the widgets of the chapters respond", { timeout: 120_000 }, async () => {
    await using visit = await site.visit("#read=bounds");
    const { page } = visit;
    await page.getByRole("slider", { name: "curvature" }).fill("0");
    await page.getByRole("button", { name: "Largest bound" }).click();
    await expect.poll(() => page.getByText(/the gap .* is 0.000/).isVisible()).toBe(true);
    await page.getByRole("link", { name: /Why one Gaussian/ }).click();
    await page.getByRole("button", { name: "Largest likelihood" }).click();
    await expect.poll(() => page.getByText(/of the data is −1.99 nats/).isVisible()).toBe(true);
    await page.route(/digits.*safetensors/, (route) => route.fulfill({ status: 404 }), { times: 1 });
    await page.getByRole("link", { name: /Glow and images/ }).click();
    await page.getByText("The model could not be loaded.").waitFor();
    await page.getByRole("button", { name: "Other noise" }).click();
    await page.getByText("images are those of independent latent noise").waitFor();
    await expectChange(visit, "samples", () => page.getByRole("slider", { name: "class" }).fill("7"));
    await expectChange(visit, "arc", () => page.getByRole("button", { name: "Other noise" }).click());
    await page.getByRole("link", { name: /Planar/ }).click();
    await page.getByRole("slider", { name: "w", exact: true }).waitFor();
    for (const name of ["u", "w"])
      await expectChange(visit, "planar", async () => {
        await page.getByRole("slider", { name, exact: true }).focus();
        for (let k = 0; k < 20; k++) await page.keyboard.press("ArrowDown");
      });
    await expectChange(visit, "planar", () => page.getByRole("slider", { name: /^b / }).fill("1"));
    await expectChange(visit, "radial", () => page.getByRole("slider", { name: /^β/ }).fill("-0.95"));
    await expect
      .poll(() => page.getByText("the determinant at the center would be 0").isVisible())
      .toBe(true);
    await page.getByRole("link", { name: /Autoregressive/ }).click();
    const counts = () => page.locator(".layers .count").allTextContents();
    await expect.poll(counts).toEqual(["0 of 1 pass", "0 of 4 passes"]);
    for (let k = 0; k < 4; k++) await page.getByRole("button", { name: "Next pass" }).click();
    expect(await counts()).toEqual(["1 of 1 pass", "4 of 4 passes"]);
    await page.getByText("Sample", { exact: true }).click();
    await expect.poll(counts).toEqual(["0 of 4 passes", "0 of 1 pass"]);
    await page.getByRole("button", { name: "Other numbers" }).click();
    await page.getByRole("button", { name: "Next pass" }).click();
    await expect.poll(counts).toEqual(["1 of 4 passes", "1 of 1 pass"]);
    await page.getByText("Draw another ordering").click();
    await page.getByRole("group", { name: "Output" }).getByText("x₄").click();
    await expect.poll(() => page.getByText(/In this ordering x₄/).isVisible()).toBe(true);
    expect(visit.problems).toEqual([]);
  });
});
