import { fileURLToPath } from "node:url";
import { svelte } from "@sveltejs/vite-plugin-svelte";
import { defineConfig } from "vite";

const source = (path: string) => fileURLToPath(new URL(`../src/${path}`, import.meta.url));

/** The entry points of the package are those of its sources, so the studio needs no build of them. */
export const alias = [
  { find: /^pushforward$/, replacement: source("index.ts") },
  { find: /^pushforward\/(\w+)$/, replacement: source("$1/index.ts") },
];

export default defineConfig({
  root: fileURLToPath(new URL(".", import.meta.url)),
  // Relative addresses, so that the built folder works below any path.
  base: "./",
  plugins: [svelte()],
  resolve: { alias },
  // ONNX Runtime finds its WebAssembly beside its own file, which pre-bundling would move.
  optimizeDeps: { exclude: ["onnxruntime-web"] },
  worker: { format: "es" },
  build: { outDir: "../dist/studio", emptyOutDir: true, target: "es2023", assetsInlineLimit: 0 },
});
