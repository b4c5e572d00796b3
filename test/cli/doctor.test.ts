import { expect, test } from "vitest";
import packageJson from "../../package.json" with { type: "json" };
import { VERSION } from "../../src/package/version.ts";
import { workplace } from "./command.ts";

const { pushforward } = workplace();

test("doctor shows versions and a test that passes", async () => {
  const { code, out, err } = await pushforward(["doctor"]);
  expect({ code, err }).toEqual({ code: 0, err: "" });
  const lines = new Map(
    out
      .trimEnd()
      .split("\n")
      .map((line) => line.split(/ {2,}/) as [string, string]),
  );
  expect(lines.get("pushforward")).toBe(packageJson.version);
  expect(lines.get("onnxruntime-node")).toBe(packageJson.optionalDependencies["onnxruntime-node"]);
  expect(lines.get("@duckdb/node-api")).toBe(packageJson.devDependencies["@duckdb/node-api"]);
  expect(lines.get("provider cpu")).toBe("works");
  expect(lines.get("provider webgpu")).toMatch(/^works$|^the execution provider webgpu does not work: /);
  expect(lines.get("test")).toMatch(/^passed in \d+\.\d s: /);
});

test("the version in the sources is that of the package", () => {
  expect(VERSION).toBe(packageJson.version);
});
