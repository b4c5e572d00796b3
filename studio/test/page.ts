import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { type PreviewServer, preview } from "vite";
import { inject } from "vitest";
import { launchChromium } from "../../test/browser/chromium.ts";

/** The built studio, served below a path, as a static host would. */
export class Site {
  private server!: PreviewServer;
  private browser!: Browser;

  async open(chromium: string): Promise<void> {
    this.server = await preview({
      configFile: false,
      logLevel: "error",
      base: "/some/path/",
      build: { outDir: inject("folder") },
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
  }
}

/** A page with what it did that a reader must not see. */
export class Visit implements AsyncDisposable {
  readonly page: Page;
  /** Messages of the console, errors, and requests to other hosts or that failed. */
  readonly problems: string[] = [];
  /** The files of the site that the page and its workers requested. */
  readonly files: string[] = [];

  constructor(page: Page, address: string) {
    this.page = page;
    page.on("console", (message) => this.problems.push(message.text()));
    page.on("pageerror", (error) => this.problems.push(`${error}`));
    page.on("requestfailed", (request) => this.problems.push(`failed: ${request.url()}`));
    page.on("request", (request) => {
      if (request.url().startsWith(address)) this.files.push(request.url().slice(address.length));
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
