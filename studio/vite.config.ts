import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { svelte } from "@sveltejs/vite-plugin-svelte";
import { defineConfig, type Plugin } from "vite";

const source = (path: string) => fileURLToPath(new URL(`../src/${path}`, import.meta.url));

/** The entry points of the package are those of its sources, so the studio needs no build of them. */
export const alias = [
  { find: /^pushforward$/, replacement: source("index.ts") },
  { find: /^pushforward\/(\w+)$/, replacement: source("public/$1.ts") },
];

/** Fonts in formats that no current browser loads, and ONNX Runtime with WebGPU (27 MB), which few visitors choose. */
const RARELY_USED = /\.(ttf|woff)$|webgpu|asyncify/;

/** Writes the service worker with the names of the files of the build that it caches at the first visit. */
const offline: Plugin = {
  name: "offline",
  apply: "build",
  generateBundle: {
    order: "post",
    handler(_, bundle) {
      const built = Object.keys(bundle).filter((name) => !name.endsWith(".html"));
      const rare = built.filter((name) => RARELY_USED.test(name));
      const publicFiles = readdirSync(fileURLToPath(new URL("public", import.meta.url)));
      const files = ["./", ...publicFiles, ...built.filter((name) => !rare.includes(name))];
      const version = createHash("sha256").update(files.join()).digest("hex").slice(0, 12);
      const worker = readFileSync(fileURLToPath(new URL("offline.js", import.meta.url)), "utf8");
      const lists = `const FILES = ${JSON.stringify(files)};\nconst RARE_FILES = ${JSON.stringify(rare)};\n`;
      const source = `${lists}const VERSION = "${version}";\n${worker}`;
      this.emitFile({ type: "asset", fileName: "offline.js", source });
    },
  },
};

export default defineConfig({
  root: fileURLToPath(new URL(".", import.meta.url)),
  // Relative addresses, so that the built folder works below any path.
  base: "./",
  plugins: [svelte(), offline],
  resolve: { alias },
  // ONNX Runtime finds its WebAssembly beside its own file, which pre-bundling would move.
  optimizeDeps: { exclude: ["onnxruntime-web"] },
  worker: { format: "es" },
  build: { outDir: "../dist/studio", emptyOutDir: true, target: "es2023", assetsInlineLimit: 0 },
});
