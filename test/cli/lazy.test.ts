import { expect, it, vi } from "vitest";
import { EARTHQUAKES, workplace } from "./command.ts";

const loaded = vi.hoisted(() => [] as string[]);
vi.mock("@duckdb/node-api", async (original) => {
  loaded.push("duckdb");
  return original();
});
vi.mock("#onnxruntime/native", async (original) => {
  loaded.push("onnxruntime");
  return original();
});
vi.mock("zod/mini", async (original) => {
  loaded.push("zod");
  return original();
});
vi.mock("@observablehq/plot", async (original) => {
  loaded.push("plot");
  return original();
});

const { pushforward, path } = workplace();

it("loads no large package to show help or to refuse arguments", async () => {
  for (const words of [
    [],
    ["--version"],
    ["fit", "--help"],
    ["fitt"],
    ["fit"],
    ["sample", "m", "--sed", "1"],
  ]) {
    await pushforward(words);
  }
  expect(loaded).toEqual([]);
  await pushforward(["evaluate", path("no.safetensors"), EARTHQUAKES]);
  expect(loaded).toEqual(["zod"]);
});
