import { fileURLToPath } from "node:url";
import { build, createLogger, type InlineConfig, preview, type Rolldown } from "vite";
import { vi } from "vitest";
import { launchChromium } from "./chromium.ts";

export interface Bundle {
  readonly warnings: readonly string[];
  readonly files: readonly (Rolldown.OutputChunk | Rolldown.OutputAsset)[];
  /** Imports that are left in the bundle. */
  readonly imports: readonly string[];
}

/** Bundles the page in a folder beside this file, with the defaults of Vite. */
export async function bundle(folder: string, options: InlineConfig["build"]): Promise<Bundle> {
  const warnings: string[] = [];
  const customLogger = createLogger("warn");
  customLogger.warn = (message) => {
    // The duration of the build is not a warning about the bundle.
    if (!message.includes("PLUGIN_TIMINGS")) warnings.push(message);
  };
  customLogger.warnOnce = customLogger.warn;
  // Vitest sets NODE_ENV to "test", with which Vite would make a bundle for development, without warnings.
  vi.stubEnv("NODE_ENV", "production");
  const result = await build({
    configFile: false,
    root: fileURLToPath(new URL(folder, import.meta.url)),
    logLevel: "warn",
    customLogger,
    build: { reportCompressedSize: false, ...options },
  });
  vi.unstubAllEnvs();
  if (!("output" in result)) throw new Error("Vite made more than one bundle");
  const names = new Set(result.output.map(({ fileName }) => fileName));
  const imports = result.output.flatMap((file) =>
    file.type === "chunk" ? [...file.imports, ...file.dynamicImports] : [],
  );
  return { warnings, files: result.output, imports: imports.filter((name) => !names.has(name)) };
}

/** What a page did, for the test to check. */
export interface Visit<T> {
  readonly result: T;
  /** Console messages and errors. */
  readonly problems: readonly string[];
  /** The paths of the files that the page requested. */
  readonly requests: readonly string[];
  readonly isolated: boolean;
  readonly workers: number;
}

/** Serves the files in `outDir`, opens them in Chromium, and evaluates `act` with `argument` in the page. */
export async function visit<A, T>(
  chromium: string,
  outDir: string,
  act: (argument: A) => Promise<T>,
  argument: A,
  headers: Record<string, string> = {},
  flags: readonly string[] = [],
): Promise<Visit<T>> {
  const server = await preview({
    configFile: false,
    logLevel: "error",
    build: { outDir },
    preview: { host: "127.0.0.1", port: 0, headers },
  });
  const browser = await launchChromium(chromium, flags);
  try {
    const page = await browser.newPage();
    const problems: string[] = [];
    const requests: string[] = [];
    page.on("console", (message) => problems.push(message.text()));
    page.on("pageerror", (error) => problems.push(`${error}`));
    page.on("request", (request) => requests.push(new URL(request.url()).pathname));
    await page.goto(server.resolvedUrls!.local[0]);
    const isolated = await page.evaluate(() => crossOriginIsolated);
    // Playwright's types ask for an argument that they know to be serializable.
    const evaluate = page.evaluate as (act: (argument: A) => Promise<T>, argument: A) => Promise<T>;
    const result = await evaluate.call(page, act, argument);
    return { result, problems, requests, isolated, workers: page.workers().length };
  } finally {
    await browser.close();
    await server.close();
  }
}
