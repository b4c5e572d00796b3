import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { InferenceSession, Tensor } from "onnxruntime-node";
import { toys } from "pushforward";
import { decodeModel } from "pushforward/flows";
import { afterAll, expect, test } from "vitest";
import { describePage, type Visit } from "./page.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));

describePage("exports", (site) => {
  const folder = mkdtempSync(join(tmpdir(), "pushforward-exports-"));
  afterAll(() => rmSync(folder, { recursive: true }));

  async function trainTwoEpochs(fragment: string): Promise<Visit> {
    const visit = await site.visit(fragment);
    for (const epoch of [1, 2]) {
      await visit.button("One epoch").click();
      await expect.poll(() => visit.figure("epoch")).toBe(epoch);
    }
    return visit;
  }

  test.each([
    ["maximum likelihood", "held-out NLL", "#data=pinwheel&rows=1000&layers=2&width=8&seed=3"],
    ["flow matching", "held-out NLL", "#data=pinwheel&rows=300&family=continuous&width=8&seed=3"],
    ["a Student t base", "held-out NLL", "#data=pinwheel&rows=300&family=maf&layers=1&width=8&base=studentT"],
    ["a mixture as base", "held-out NLL", "#data=pinwheel&rows=300&layers=1&width=8&seed=3&base=mixture"],
    [
      "the reverse divergence to a mixture as base",
      "KL(q",
      "#objective=reverse&data=circles&rows=300&family=nice&layers=1&width=8&base=mixture",
    ],
    [
      "the reverse divergence",
      "KL(q",
      "#objective=reverse&data=circles&rows=300&family=realNVP&layers=2&width=8",
    ],
  ])("the program of %s trains the page's model in Node, with equal numbers", async (_, label, fragment) => {
    await using visit = await trainTwoEpochs(fragment);
    const program = join(folder, "train.mts");
    writeFileSync(program, await visit.download("TypeScript program"));
    // Here the package is not installed, but its sources stand for it.
    const tsx = [join(root, "node_modules/tsx/dist/cli.mjs"), "--tsconfig", join(root, "tsconfig.json")];
    const output = execFileSync(process.execPath, [...tsx, program], { cwd: folder, encoding: "utf8" });
    expect(Number.parseFloat(output).toFixed(3)).toBe((await visit.figure(label)).toFixed(3));
    const model = await visit.download("Model");
    const [inPage, inNode] = await Promise.all(
      [model, readFileSync(join(folder, "model.safetensors"))].map((bytes) =>
        decodeModel(new Uint8Array(bytes)),
      ),
    );
    expect(inNode.flow.describe()).toEqual(inPage.flow.describe());
    const numbers = ({ flow }: typeof inPage) =>
      [...flow.parameters().values()].flatMap((each) => [...each.numbers]);
    const expected = numbers(inPage);
    const errors = numbers(inNode).map((value, i) => Math.abs(value - expected[i]!));
    // Sines of different versions of V8 differ in the last digit, and with them the rows of some toys.
    expect(Math.max(...errors)).toBeLessThan(1e-15);
    expect(visit.problems).toEqual([]);
  });

  test("the model and the ONNX file load, and have the density of the page", async () => {
    await using visit = await trainTwoEpochs("#data=banana&rows=1000&layers=2&width=8");
    const { flow } = await decodeModel(new Uint8Array(await visit.download("Model")));
    const session = await InferenceSession.create(await visit.download("ONNX"));
    const points = toys.banana(100, { seed: 1 });
    const [input] = session.inputNames;
    const { logProb } = await session.run({
      [input!]: new Tensor("float32", Float32Array.from(points), [100, 2]),
    });
    const expected = Array.from(await flow.logProb(points), (value) => expect.closeTo(value, 4));
    expect(Array.from(logProb!.data as Float32Array)).toEqual(expected);
    await session.release();
    await visit.dataSpace.focus();
    await visit.page.keyboard.press("ArrowRight");
    const { x, y, nats } = await visit.pointDensity();
    const [logDensity] = await flow.logProb([x, y]);
    expect(Math.abs(logDensity! - nats)).toBeLessThan(0.05);
    expect(visit.problems).toEqual([]);
  });

  test("after an export, figures and sums are still those of the latest epoch", async () => {
    await using visit = await site.visit("#data=banana&rows=100&layers=1&width=4&learningRate=0.05");
    const { page } = visit;
    const best = () => visit.figureText("held-out NLL");
    for (let epoch = 1, before: string | undefined; before !== (await best()); epoch++) {
      before = await best();
      await visit.button("One epoch").click();
      await expect.poll(() => visit.figure("epoch")).toBe(epoch);
    }
    await visit.dataSpace.press("ArrowLeft");
    await page.getByText("drawn to scale").waitFor();
    const latest = await visit.pointDensity();
    await visit.download("Model");
    await visit.dataSpace.press("ArrowRight");
    await expect.poll(async () => (await visit.pointDensity()).x).not.toBe(latest.x);
    await visit.dataSpace.press("ArrowLeft");
    await expect.poll(async () => (await visit.pointDensity()).x).toBe(latest.x);
    expect(await visit.pointDensity()).toEqual(latest);
    expect(visit.problems).toEqual([]);
  });

  test("a picture of a sorted table shows rows from all of it", async () => {
    await using visit = await site.visit("#layers=1");
    await visit.page.getByText("Your table").click();
    const rows = Array.from({ length: 3000 }, (_, i) => `${i},${Math.sin(i)}`);
    const buffer = Buffer.from(rows.join("\n"));
    await visit.page
      .locator("input[type=file]")
      .setInputFiles({ name: "sorted.csv", mimeType: "text/csv", buffer });
    await visit.page.getByText("3000 rows").waitFor();
    const xs = async () => {
      const svg = (await visit.download("SVG")).toString();
      return Array.from(svg.matchAll(/<circle cx="([\d.]+)"/g), ([, x]) => Number(x));
    };
    await expect.poll(async () => (await xs()).length).toBe(1500);
    const [first, second, ...others] = await xs();
    expect(second! - first!).toBeLessThan(1);
    // The frame has a width of 600, and a margin around the points.
    expect(others.at(-1)! - first!).toBeGreaterThan(500);
    expect(visit.problems).toEqual([]);
  });

  test("pictures are files of their type, and the link holds the setting", async () => {
    await using visit = await site.visit("#data=circles&family=radial&layers=3&seed=5");
    await expect.poll(() => visit.button("PNG").isEnabled()).toBe(true);
    expect((await visit.download("PNG")).subarray(1, 4).toString()).toBe("PNG");
    const svg = (await visit.download("SVG")).toString();
    // Many programs that read SVG know no other notation of colors.
    expect(svg.match(/(fill|stroke)="(?!none|rgb\(\d+, \d+, \d+\))[^"]*"/)).toBe(null);
    expect(svg).toMatch(/^<svg .*<image href="data:image\/png.*<circle .*<path d="M.*<\/svg>\n$/s);
    const address = visit.page.url();
    expect(address).toMatch(
      /#data=circles&rows=5000&family=radial&layers=3&width=32&learningRate=0.02&seed=5$/,
    );
    expect(visit.problems).toEqual([]);
  });
});
