import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { build, type PreviewServer, preview } from "vite";
import { launchChromium } from "../../test/browser/chromium.ts";

const configFile = fileURLToPath(new URL("../vite.config.ts", import.meta.url));

/** The built studio, served below a path, as a static host would. */
export class Site {
  readonly folder = mkdtempSync(join(tmpdir(), "pushforward-studio-"));
  private server!: PreviewServer;
  private browser!: Browser;

  async open(chromium: string): Promise<void> {
    await build({
      configFile,
      logLevel: "warn",
      build: { outDir: this.folder, reportCompressedSize: false },
    });
    this.server = await preview({
      configFile: false,
      logLevel: "error",
      base: "/some/path/",
      build: { outDir: this.folder },
      preview: { host: "127.0.0.1", port: 0 },
    });
    this.browser = await launchChromium(chromium);
  }

  get address(): string {
    return this.server.resolvedUrls!.local[0]!;
  }

  /** Opens the studio in a page of its own. */
  async visit(fragment = "", options: BrowserContextOptions = {}): Promise<Visit> {
    const page = await this.browser.newPage({ viewport: { width: 1280, height: 900 }, ...options });
    const visit = new Visit(page, this.address);
    await page.goto(`${this.address}${fragment}`);
    return visit;
  }

  async close(): Promise<void> {
    await this.browser?.close();
    await this.server?.close();
    rmSync(this.folder, { recursive: true });
  }
}

/** A page with what it did that a reader must not see. */
export class Visit implements AsyncDisposable {
  readonly page: Page;
  /** Messages of the console, errors, and requests to other hosts or that failed. */
  readonly problems: string[] = [];

  constructor(page: Page, address: string) {
    this.page = page;
    page.on("console", (message) => this.problems.push(message.text()));
    page.on("pageerror", (error) => this.problems.push(`${error}`));
    page.on("requestfailed", (request) => this.problems.push(`failed: ${request.url()}`));
    page.on("request", (request) => {
      if (!/^(data|blob):/.test(request.url()) && !request.url().startsWith(address))
        this.problems.push(`another host: ${request.url()}`);
    });
  }

  button(name: string) {
    return this.page.getByRole("button", { name, exact: true });
  }

  /** The number beside a label of the training. */
  async figure(label: string): Promise<number> {
    return Number(await this.page.locator("dl div", { hasText: label }).locator("dd").textContent());
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.page.close();
  }
}
