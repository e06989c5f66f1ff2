/** The pages as they are now, built once for all tests that look at them. */
import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build } from 'vite';

/** Where they are. Takes seconds, the first time after a change. */
export async function buildPages(): Promise<URL> {
  // Another user could not read it.
  const folder = join(tmpdir(), `recado-pages-${userInfo().uid}-${fingerprint()}`);
  if (!existsSync(folder)) {
    // Whoever is first wins; the others throw theirs away.
    const own = mkdtempSync(join(tmpdir(), 'recado-pages-new-'));
    await build({ logLevel: 'error', build: { outDir: own, emptyOutDir: true } });
    try {
      renameSync(own, folder);
    } catch {
      rmSync(own, { recursive: true, force: true });
    }
  }
  return pathToFileURL(`${folder}/`);
}

function fingerprint(): string {
  const files = readdirSync('app/web', { recursive: true }).map((file) => join('app/web', String(file)));
  const hash = createHash('sha256');
  for (const file of ['vite.config.ts', 'package-lock.json', ...files].sort()) {
    const { size, mtimeMs } = statSync(file);
    hash.update(`${file} ${size} ${mtimeMs}\n`);
  }
  return hash.digest('hex').slice(0, 16);
}
