import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Browser, chromium } from "playwright-core";

const candidates = [
  process.env.CHROMIUM,
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/usr/bin/google-chrome",
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
];

/** Where Chromium is, if it is. */
export const chromiumPath = candidates.find((path) => path !== undefined && path !== "" && existsSync(path));

/** For `test(name, { skip: skipReason })`: false with a browser, a sentence that nobody overlooks without. */
export const skipReason: string | false =
  chromiumPath !== undefined
    ? false
    : "NO CHROMIUM: the chat page is NOT tested; install it or set CHROMIUM to its path";

if (skipReason !== false) process.stderr.write(`\n!!! ${skipReason} !!!\n\n`);

const switches = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

export interface LaunchedBrowser {
  readonly browser: Browser;
  close(): Promise<void>;
}

export async function launchBrowser(): Promise<LaunchedBrowser> {
  const downloads = await mkdtemp(join(tmpdir(), "hongyan-browser-"));
  const browser = await chromium.launch({
    executablePath: chromiumPath ?? "",
    args: switches,
    downloadsPath: downloads,
  });
  return {
    browser,
    async close() {
      await browser.close();
      await rm(downloads, { recursive: true, force: true });
    },
  };
}
