import { existsSync } from "node:fs";
import { type Browser, chromium } from "playwright-core";

const USUAL_PATHS = [
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/usr/bin/google-chrome",
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
  "C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe",
];

/** The path of a browser: that of the environment variable `CHROMIUM`, or else the first of the usual paths that exists. */
export function findChromium(): string | undefined {
  return process.env.CHROMIUM || USUAL_PATHS.find((path) => existsSync(path));
}

export const CHROMIUM_IS_MISSING =
  "there is no Chromium on this machine: install it, or set the environment variable CHROMIUM to its path";

/** Chromium contains SwiftShader, which is Vulkan in software, and offers it to pages only with these flags. */
export const SOFTWARE_WEBGPU = ["--enable-unsafe-webgpu", "--use-webgpu-adapter=swiftshader"];

export function launchChromium(executablePath: string, flags: readonly string[] = []): Promise<Browser> {
  return chromium.launch({
    executablePath,
    args: [
      "--headless",
      "--no-sandbox",
      "--disable-gpu",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
      "--disable-quic",
      ...flags,
    ],
  });
}
