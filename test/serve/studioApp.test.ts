import { mkdirSync, writeFileSync } from "node:fs";
import { beforeAll, describe, expect, test } from "vitest";
import { openingFragment, studioApp } from "../../src/serve/http/studioApp.ts";
import { studioBuild } from "../../src/serve/studioBuild.ts";
import { temporaryDirectory } from "../data/temporaryFiles.ts";

const { path } = temporaryDirectory();
const file = { name: "my model#1.safetensors", bytes: Uint8Array.of(1, 2, 3) };

beforeAll(() => {
  mkdirSync(path("build/assets"), { recursive: true });
  writeFileSync(path("build/index.html"), "<title>studio</title>");
  writeFileSync(path("build/assets/index-1.js"), "1;");
  writeFileSync(path("secret.txt"), "secret");
});

describe("the server of the studio", () => {
  const app = async () => studioApp(await studioBuild([path("missing"), path("build")]), [file]);

  test("has the files of the build, with their types, and lets the page connect to itself only", async () => {
    const page = await (await app()).request("/");
    expect(await page.text()).toBe("<title>studio</title>");
    expect(page.headers.get("Content-Type")).toBe("text/html; charset=utf-8");
    expect(page.headers.get("Content-Security-Policy")).toContain(
      "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'",
    );
    const script = await (await app()).request("/assets/index-1.js");
    expect([script.headers.get("Content-Type"), script.headers.get("Cache-Control")]).toEqual([
      "text/javascript",
      "max-age=31536000, immutable",
    ]);
  });

  test("has the files to open, at the addresses of the fragment, and no others", async () => {
    const fragment = openingFragment([file]);
    expect(fragment).toMatchInlineSnapshot(`"#open=files/my%2520model%25231.safetensors"`);
    const address = new URLSearchParams(fragment.slice(1)).get("open")!;
    const response = await (await app()).request(`/${address}`);
    expect(new Uint8Array(await response.arrayBuffer())).toEqual(file.bytes);
    expect(response.headers.get("Table-Rows")).toBeNull();
    for (const other of [
      "/../secret.txt",
      "/%2e%2e/secret.txt",
      "/..%2fsecret.txt",
      "/files/other",
      "/assets",
    ])
      expect((await (await app()).request(other)).status, other).toBe(404);
  });

  test("states the number of rows of the table of which a file is a sample", async () => {
    const sample = { name: "big.csv", bytes: Uint8Array.of(), tableRows: 12_000 };
    const response = await studioApp(new Map(), [sample]).request("/files/big.csv");
    expect(response.headers.get("Table-Rows")).toBe("12000");
  });

  test("has ONNX Runtime's WebAssembly, which the package does not contain a second time", async () => {
    const bytes: number[] = [];
    // The second one is the build with WebGPU.
    for (const name of ["ort-wasm-simd-threaded", "ort-wasm-simd-threaded.asyncify"]) {
      const response = await (await app()).request(`/assets/${name}-Dc_Hr-1.wasm`);
      expect(response.headers.get("Content-Type")).toBe("application/wasm");
      const file = new Uint8Array(await response.arrayBuffer());
      expect(file.subarray(0, 4)).toEqual(Uint8Array.from([0, 0x61, 0x73, 0x6d]));
      bytes.push(file.length);
    }
    expect(bytes[1]).toBeGreaterThan(bytes[0]!);
  });
});

test("a studio that is not built is an error that says how to build it", async () => {
  await expect(studioBuild([path("missing")])).rejects.toThrowErrorMatchingInlineSnapshot(`
    [PushforwardError: the studio is not built.
    Build it: npm run build:studio]
  `);
});
