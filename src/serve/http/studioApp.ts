import { readFile } from "node:fs/promises";
import { extname } from "node:path";
import { fileURLToPath } from "node:url";
import { Hono } from "hono";
import { secureHeaders } from "hono/secure-headers";

/** A file that the studio opens. */
export interface StudioFile {
  readonly name: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** The number of rows of the table of which the file is a sample. */
  readonly tableRows?: number;
}

const TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".css": "text/css",
  ".js": "text/javascript",
  ".svg": "image/svg+xml",
  ".wasm": "application/wasm",
  ".csv": "text/csv; charset=utf-8",
  ".woff2": "font/woff2",
};

/** Where the studio finds the files that it opens. */
const FILES = "files/";

/**
 * The studio as an HTTP application: the files of its build by their paths, and the files to open. Its page may connect to this server
 * only.
 */
export function studioApp(build: ReadonlyMap<string, string>, files: readonly StudioFile[]): Hono {
  const app = new Hono();
  app.use(
    secureHeaders({
      contentSecurityPolicy: {
        defaultSrc: ["'self'"],
        scriptSrc: ["'self'", "'wasm-unsafe-eval'"],
        styleSrc: ["'self'", "'unsafe-inline'"],
        imgSrc: ["'self'", "data:", "blob:"],
      },
    }),
  );
  app.get(`/${FILES}:name`, (c) => {
    const file = files.find(({ name }) => name === c.req.param("name"));
    if (!file) return c.notFound();
    return c.body(file.bytes, 200, {
      "Content-Type": typeOf(file.name),
      ...(file.tableRows !== undefined && { "Table-Rows": `${file.tableRows}` }),
    });
  });
  app.get("*", async (c) => {
    const path = c.req.path === "/" ? "index.html" : c.req.path.slice(1);
    const file = build.get(path) ?? runtimeFile(path);
    if (file === undefined) return c.notFound();
    return c.body(await readFile(file), 200, {
      "Content-Type": typeOf(path),
      // The names of these files change with their content.
      "Cache-Control": path.startsWith("assets/") ? "max-age=31536000, immutable" : "no-cache",
    });
  });
  return app;
}

/** The fragment of the URL at which the studio opens the files. A name is encoded in its path, and the path in the fragment. */
export const openingFragment = (files: readonly StudioFile[]): string =>
  files.length === 0
    ? ""
    : `#${files.map(({ name }) => `open=${FILES}${encodeURIComponent(encodeURIComponent(name))}`).join("&")}`;

const typeOf = (path: string): string => TYPES[extname(path)] ?? "application/octet-stream";

/** ONNX Runtime's WebAssembly, with and without WebGPU. The package does not contain it a second time: it is that of onnxruntime-web. */
function runtimeFile(path: string): string | undefined {
  const name = /^assets\/(ort-wasm-simd-threaded(\.asyncify)?)-[\w-]+\.wasm$/.exec(path)?.[1];
  return name && fileURLToPath(import.meta.resolve(`onnxruntime-web/${name}.wasm`));
}
