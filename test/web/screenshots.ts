/**
 * Takes the README's pictures of the phone: `node --import tsx test/web/screenshots.ts`. Needs Chromium, and fonts that have emoji
 * (fonts-noto-color-emoji).
 */
import type { Page } from 'playwright-core';
import sharp from 'sharp';
import { startBrowser } from '../support/browser.ts';
import { buildPages } from '../support/pages.ts';
import { startSimulatedBot } from '../support/simulated-bot.ts';
import { shoot } from './shoot.ts';

const DESKTOP = { viewport: { width: 1360, height: 860 } };
const PHONE = { viewport: { width: 390, height: 780 }, isMobile: true, hasTouch: true };

const bot = await startSimulatedBot({ TWIML_DEADLINE_MS: '1500', HISTORY_TOKENS: '250' }, await buildPages());
const browser = await startBrowser();
const address = `${bot.url}/simulator/as/15550100123`;

const light = await browser.open(address, { ...DESKTOP, colorScheme: 'light' });
await talk(light.page);
await shoot(light.page, 'phone-desktop-light');

const dark = await browser.open(address, { ...DESKTOP, colorScheme: 'dark' });
await dark.page.getByRole('tab', { name: 'Model' }).click();
await dark.page.waitForTimeout(1_000);
await shoot(dark.page, 'phone-desktop-dark');

for (const colorScheme of ['light', 'dark'] as const) {
  const { page } = await browser.open(address, { ...PHONE, colorScheme });
  await page.getByText('the shop opens at nine').last().waitFor();
  await page.waitForTimeout(500);
  if (colorScheme === 'dark') {
    await say(page, 'Please *answer in 3 seconds*', 0);
    await page.getByRole('img', { name: 'Recado is typing' }).waitFor();
  }
  await shoot(page, `phone-mobile-${colorScheme}`);
}

await browser.close();
await bot.stop();

async function talk(page: Page): Promise<void> {
  await say(page, 'Hello! My name is Ana 👋 and I live in Lisbon');
  await say(page, 'Remember that the shop opens at nine');
  const file = { name: 'beach.jpg', mimeType: 'image/jpeg', buffer: await beach() };
  await page.setInputFiles('input[type=file] >> nth=0', file);
  await say(page, 'Our beach today', 2_500);
  await page.getByRole('button', { name: 'Record a voice note' }).click();
  await page.waitForTimeout(2_400);
  await page.getByRole('button', { name: 'Done' }).click();
  await page.waitForTimeout(2_000);
  await say(page, '*Quick check:* what do you remember?', 1_500);
}

async function say(page: Page, text: string, waitMs = 1_000): Promise<void> {
  const field = page.getByRole('textbox', { name: 'Message to Recado' });
  await field.fill(text);
  await field.press('Enter');
  await page.waitForTimeout(waitMs);
}

function beach(): Promise<Buffer> {
  const drawing = `<svg width="640" height="420"><rect width="640" height="420" fill="#2f7fd6"/>
    <circle cx="500" cy="90" r="48" fill="#ffd447"/><rect y="240" width="640" height="60" fill="#1d5fa8"/>
    <path d="M0 300 Q320 250 640 300 V420 H0z" fill="#e9d8a6"/><path d="M120 242 L230 130 L340 242z" fill="#2a6f4e"/>
    <path d="M250 242 L370 160 L490 242z" fill="#3d8b63"/></svg>`;
  return sharp(Buffer.from(drawing)).jpeg().toBuffer();
}
