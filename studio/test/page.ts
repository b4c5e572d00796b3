import { readFileSync } from "node:fs";
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { type PreviewServer, preview } from "vite";
import { afterAll, beforeAll, describe, inject } from "vitest";
import { CHROMIUM_IS_MISSING, findChromium, launchChromium } from "../../test/browser/chromium.ts";

const chromium = findChromium();
// Only some reporters of Vitest show why a test was skipped.
if (!chromium) console.warn(`The studio is not tested: ${CHROMIUM_IS_MISSING}.`);

/** Describes tests of the built studio in Chromium with some flags. They are skipped if there is none. */
export function describePage(name: string, tests: (site: Site) => void, flags: readonly string[] = []): void {
  describe.runIf(chromium)(name, () => {
    const site = new Site();
    beforeAll(() => site.open(chromium!, flags));
    afterAll(() => site.close());
    tests(site);
  });
}

/** The number that a text of the page shows. */
export const numberOf = (text: string): number => Number(text.replace("−", "-"));

/** The built studio, served below a path, as a static host would. */
export class Site {
  private server!: PreviewServer;
  private browser!: Browser;

  async open(chromium: string, flags: readonly string[]): Promise<void> {
    this.server = await preview({
      configFile: false,
      logLevel: "error",
      base: "/some/path/",
      build: { outDir: inject("folder") },
      preview: { host: "127.0.0.1", port: 0 },
    });
    this.browser = await launchChromium(chromium, flags);
  }

  get address(): string {
    return this.server.resolvedUrls!.local[0]!;
  }

  /** Opens the studio in a page of its own. */
  async visit(fragment = "", options: BrowserContextOptions = {}): Promise<Visit> {
    const page = await this.browser.newPage({
      viewport: { width: 1280, height: 900 },
      // Each page is a first visit, so its service worker would load and cache all files.
      serviceWorkers: "block",
      ...options,
    });
    const visit = new Visit(page, this.address);
    await page.goto(`${this.address}${fragment}`);
    return visit;
  }

  async close(): Promise<void> {
    await this.browser?.close();
    await this.server?.close();
  }
}

/** An open page, and a record of what it must not do. */
export class Visit implements AsyncDisposable {
  readonly page: Page;
  /** Messages in the console, errors, requests that failed, and requests to other hosts. */
  readonly problems: string[] = [];
  /** The files of the site that the page and its workers requested. */
  readonly files: string[] = [];

  constructor(page: Page, address: string) {
    this.page = page;
    page.on("console", (message) => {
      // Playwright logs this, because it blocks service workers here.
      if (message.text() !== "Service Worker registration blocked by Playwright")
        this.problems.push(message.text());
    });
    page.on("pageerror", (error) => this.problems.push(`${error}`));
    page.on("requestfailed", (request) => {
      // A page that is left, and a worker that is ended, abort their requests.
      if (request.failure()?.errorText !== "net::ERR_ABORTED") this.problems.push(`failed: ${request.url()}`);
    });
    page.on("request", (request) => {
      if (request.url().startsWith(address)) this.files.push(request.url().slice(address.length));
      if (!/^(data|blob):/.test(request.url()) && !request.url().startsWith(address))
        this.problems.push(`another host: ${request.url()}`);
    });
  }

  button(name: string) {
    return this.page.getByRole("button", { name, exact: true });
  }

  /** The data space figure, where points are selected and drawn. */
  get dataSpace() {
    return this.page.locator("[data-figure=data] [role=application]");
  }

  /** The number with a label below the buttons of the training. */
  async figure(label: string): Promise<number> {
    return numberOf(await this.figureText(label));
  }

  async figureText(label: string): Promise<string> {
    return (await this.page.locator("dl div", { hasText: label }).locator("dd").textContent())!;
  }

  /** The selected point and its log-density, which the page shows to two and three decimals. */
  async pointDensity(): Promise<{ x: number; y: number; nats: number }> {
    const sentence = await this.page.getByText(/^log p\(−?\d/).textContent();
    const [x, y, nats] = sentence!
      .replaceAll(",", "")
      .match(/[−+]?\d+\.\d+/g)!
      .map(numberOf);
    return { x: x!, y: y!, nats: nats! };
  }

  /** Presses a button, and returns the file that it downloads. */
  async download(button: string): Promise<Buffer> {
    const [file] = await Promise.all([this.page.waitForEvent("download"), this.button(button).click()]);
    return readFileSync(await file.path());
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.page.close();
  }
}
