/** A real browser, where there is one. */
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type BrowserContext, type BrowserContextOptions, chromium, type Page } from 'playwright-core';

/** Where Debian, Alpine and others put it. */
export const CHROMIUM = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(existsSync);

/** For `describe`: says why it is skipped, or false. */
export const NO_BROWSER = CHROMIUM ? false : 'there is no Chromium: install it (apt-get install chromium) to run these';

/** Nothing is looked up or fetched beside what a page asks for; a microphone that beeps. */
const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--use-fake-device-for-media-stream',
  '--use-fake-ui-for-media-stream',
];

export interface TestBrowser {
  /** A page of a browser that remembers nothing. What its console complains of is kept in `complaints`. */
  open(
    url: string,
    options?: BrowserContextOptions,
  ): Promise<{ page: Page; context: BrowserContext; complaints: string[] }>;
  close(): Promise<void>;
}

/** Waits until what begins to move after a click has come to rest: in the middle of fading in, colours are not what they are. */
export async function stillness(page: Page): Promise<void> {
  await page.waitForTimeout(300);
  // What moves for ever, such as dots of somebody who types, is left out.
  await page.waitForFunction(
    'document.getAnimations().every((one) => one.playState !== "running" || one.effect.getComputedTiming().endTime === Infinity)',
  );
}

export async function startBrowser(): Promise<TestBrowser> {
  const folder = mkdtempSync(join(tmpdir(), 'recado-browser-'));
  const browser = await chromium.launch({
    executablePath: CHROMIUM ?? '',
    headless: true,
    timeout: 120_000,
    args: FLAGS,
    downloadsPath: folder,
  });
  return {
    async open(url, options = {}) {
      const context = await browser.newContext({ locale: 'en-GB', permissions: ['microphone'], ...options });
      const page = await context.newPage();
      page.setDefaultTimeout(60_000);
      const complaints: string[] = [];
      page.on('console', (message) => {
        if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text());
      });
      page.on('pageerror', (error) => complaints.push(String(error)));
      await page.goto(url);
      return { page, context, complaints };
    },
    async close() {
      await browser.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
