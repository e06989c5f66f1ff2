/** Pictures for the README. */
import { mkdirSync } from 'node:fs';
import type { Page } from 'playwright-core';
import sharp from 'sharp';

const FOLDER = 'docs/screenshots';

/** With a palette: a quarter of the size, and nobody sees it. */
export async function shoot(page: Page, name: string, options: { fullPage?: boolean } = {}): Promise<void> {
  mkdirSync(FOLDER, { recursive: true });
  const picture = sharp(await page.screenshot({ animations: 'disabled', ...options }));
  const { size } = await picture.png({ palette: true, quality: 90, effort: 10 }).toFile(`${FOLDER}/${name}.png`);
  process.stdout.write(`${FOLDER}/${name}.png ${Math.round(size / 1_000)} kB\n`);
}
