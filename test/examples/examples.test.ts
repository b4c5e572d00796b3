import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, inject, test } from "vitest";
import { compiled } from "../compiledPackage.ts";
import { temporaryDirectory } from "../data/temporaryFiles.ts";
import { root } from "./documentation.ts";

const { path } = temporaryDirectory();

/** earthquakes.ts trains for a stated time; the assertions hold after few epochs. */
const [TIME, EPOCHS] = ["maxMinutes: 0.12", "epochs: 4"];

/** Compiles and runs a script, and returns its output. */
async function run(script: string, ...words: string[]): Promise<string> {
  const file = join(inject("compiledPackage"), script.replace(/\.ts$/, ".mjs"));
  const source = readFileSync(join(root, "examples", script), "utf8");
  expect(source.includes(TIME)).toBe(script === "earthquakes.ts");
  writeFileSync(file, await compiled(source.replace(TIME, EPOCHS), script));
  return runNode(file, ...words);
}

function runNode(...command: string[]): string {
  const { status, stdout, stderr } = spawnSync(process.execPath, command, { cwd: root, encoding: "utf8" });
  expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  return stdout;
}

/** The first number after `label` in a text. */
const numberAfter = (text: string, label: string): number =>
  Number(text.slice(text.indexOf(label) + label.length).match(/-?\d+(\.\d+)?/)![0]);

test("every script is tested", () => {
  const scripts = readdirSync(join(root, "examples")).filter((name) => name.endsWith(".ts"));
  expect(scripts).toEqual([
    "conditional.ts",
    "custom-bijection.ts",
    "custom-loss.ts",
    "earthquakes.ts",
    "two-moons.ts",
    "vae.ts",
  ]);
});

test("earthquakes.ts prints unusual rows and writes samples", async () => {
  const output = path("week.csv");
  const text = await run("earthquakes.ts", output);
  expect(text).toContain("1707 earthquakes: lon, lat, depth_km, mag\n");
  expect(numberAfter(text, "flow:")).toBeGreaterThan(-12);
  const scores = Array.from(text.matchAll(/log p = (-[\d.]+): magnitude/g), ([, score]) => Number(score));
  expect(scores).toHaveLength(5);
  expect(scores).toEqual(scores.toSorted((a, b) => a - b));
  expect(scores[4]).toBeLessThan(-15);
  const lines = readFileSync(output, "utf8").trimEnd().split("\n");
  expect(lines).toHaveLength(1708);
  expect(lines[0]).toBe("lon,lat,depth_km,mag");
});

test("custom-bijection.ts checks, trains, saves and loads a bijection", async () => {
  const output = path("shear.safetensors");
  const text = await run("custom-bijection.ts", output);
  expect(numberAfter(text, "")).toBeGreaterThan(-3);
  expect(Math.abs(numberAfter(text, "a = ") - 1)).toBeLessThan(0.1);
  expect(readFileSync(output).length).toBeGreaterThan(100);
});

test("two-moons.ts learns the moons and plots them", async () => {
  const output = path("moons.png");
  const text = await run("two-moons.ts", output);
  expect(numberAfter(text, "test rows:")).toBeLessThan(-2);
  expect(numberAfter(text, "before training,")).toBeGreaterThan(-1.2);
  expect(readFileSync(output).toString("latin1", 1, 4)).toBe("PNG");
});

test("conditional.ts approximates the true density better than regression", async () => {
  const text = await run("conditional.ts");
  const [line, network, flow, truth] = [
    "a line, normal errors",
    "a network, normal errors",
    "a conditional flow",
    "the true density",
  ].map((label) => numberAfter(text, label));
  expect(network).toBeGreaterThan(line);
  expect(flow).toBeGreaterThan(network + 0.4);
  expect(flow).toBeLessThan(truth + 0.02);
  expect(truth - flow).toBeLessThan(0.2);
});

// As its first lines say; the other scripts are compiled, because tsx takes two seconds for the library.
test("custom-loss.ts estimates the quantiles of y, which are those of N(0, 0.3^2) at x = 0", () => {
  const quantiles = runNode("--import", "tsx", "examples/custom-loss.ts")
    .match(/-?\d\.\d+/g)!
    .map(Number);
  [-1.2816, 0, 1.2816].forEach((z, i) => {
    expect(Math.abs(quantiles[i]! - 0.3 * z)).toBeLessThan(0.06);
  });
});

test("the bounds of vae.ts are below their estimates, and both below the exact log-likelihood of a flow", async () => {
  const text = await run("vae.ts");
  const estimates = Array.from(text.matchAll(/200 draws: (-[\d.]+)/g), ([, value]) => Number(value));
  const bounds = ["diagonal", "sylvester"].map((name) => numberAfter(text, `${name} posterior:`));
  expect(estimates).toHaveLength(2);
  bounds.forEach((bound, i) => {
    expect(bound).toBeGreaterThan(-3.2);
    expect(estimates[i]).toBeGreaterThan(bound);
    expect(numberAfter(text, "flow:")).toBeGreaterThan(estimates[i]! + 0.1);
  });
});

/** Number of lines of a program without comments, imports and empty lines. */
const programLines = (script: string): number =>
  readFileSync(join(root, "examples", script), "utf8")
    .replace(/import [^;]*;/g, "")
    .replace(/\/\*.*?\*\//gs, "")
    .split("\n")
    .filter((line) => line.trim() !== "" && !line.trim().startsWith("//")).length;

test("short programs are short", () => {
  expect(programLines("custom-loss.ts")).toBeLessThanOrEqual(10);
  expect(programLines("vae.ts")).toBeLessThanOrEqual(15);
  expect(programLines("custom-bijection.ts")).toBeLessThanOrEqual(22);
});
