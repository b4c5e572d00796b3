import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build, preview } from "vite";

export interface Site {
  readonly address: string;
  close(): Promise<void>;
}

/** Threads need SharedArrayBuffer, which browsers enable only in pages with these headers (cross-origin isolation). */
const ISOLATED = {
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Embedder-Policy": "require-corp",
};

/** Bundles index.html of this folder, the page of the benchmark, and serves it on a free port. */
export async function serveSite(): Promise<Site> {
  const folder = mkdtempSync(join(tmpdir(), "pushforward-bench-"));
  const shared = {
    configFile: false as const,
    root: fileURLToPath(new URL(".", import.meta.url)),
    logLevel: "error" as const,
  };
  await build({
    ...shared,
    build: {
      outDir: folder,
      // TensorFlow.js builds the script of its workers from the source text of a function. Minification would rename what it uses.
      minify: false,
      // Workers load the chunk of ONNX Runtime and its imports. If the page were the only entry, the bundler would put its own helpers
      // into the chunk of the page, which cannot run in a worker.
      rolldownOptions: { input: ["index.html", "onnxruntime-web/wasm"] },
    },
  });
  const server = await preview({
    ...shared,
    build: { outDir: folder },
    preview: { host: "127.0.0.1", port: 0, headers: ISOLATED },
  });
  return {
    address: server.resolvedUrls!.local[0],
    async close() {
      await server.close();
      rmSync(folder, { recursive: true });
    },
  };
}
