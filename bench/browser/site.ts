import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build, preview } from "vite";

export interface Site {
  readonly address: string;
  close(): Promise<void>;
}

/** Threads share memory, which browsers give only to isolated pages. */
const ISOLATED = {
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Embedder-Policy": "require-corp",
};

/** Bundles the page and serves it. */
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
      // TensorFlow.js starts its threads from the text of one of its functions, which must keep its names.
      minify: false,
      rolldownOptions: {
        output: {
          // ONNX Runtime's threads load its chunk and what that imports. Unless some helper is asked to be a chunk of its own,
          // the bundler's helpers are in the chunk of the page, which cannot run there.
          codeSplitting: { groups: [{ name: "helpers", test: /vite\/preload-helper/ }] },
        },
      },
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
