/** Serves a start page of links, and the pages that `npm run build` made of `web/`: the HTML is never cached and has a content security policy; everything else is cached forever. */
import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { brotliCompress, constants } from 'node:zlib';
import Router from '@koa/router';
import type { Context } from 'koa';

export interface PagesOptions {
  /** Where the built files are, `dist/web`. Nothing is read before it is requested. */
  directory: URL;
  pages: Page[];
  /** What `/` leads to, in this order. */
  links: readonly Link[];
}

export interface Link {
  path: string;
  /** Its name on the start page: plain text, written into HTML as it is. */
  name: string;
}

export interface Page {
  /** Where it is shown: `/simulator`. */
  paths: string[];
  /** Its file among the built ones: `simulator.html`. */
  file: string;
  /** What to do while it is not built, beside building it. */
  meanwhile?: string;
}

/** Where Vite puts what the pages load, see `vite.config.ts`. */
export const ASSETS_PATH = '/web/';

/** Where the built files are, seen from this module: as it was written, and as it was compiled into `dist/app`. */
export function builtPages(): URL {
  return new URL(import.meta.url.endsWith('.ts') ? '../../dist/web/' : '../../web/', import.meta.url);
}

export function createPages({ directory, pages, links }: PagesOptions): Router {
  const router = new Router();
  const assets = new Map<string, Promise<Asset | null>>();
  router.get('/', (ctx) => showStart(ctx, links));
  for (const page of pages) router.get(page.paths, (ctx) => showPage(ctx, page));
  router.get(`${ASSETS_PATH}:name`, async (ctx) => {
    const name = ctx.params.name ?? '';
    const asset = await (assets.get(name) ?? load(name));
    if (asset) sendAsset(ctx, asset);
  });
  return router;

  async function showPage(ctx: Context, { file, meanwhile = '' }: Page): Promise<void> {
    const html = await readFile(new URL(file, directory), 'utf8').catch(missing);
    if (html === null) {
      ctx.status = 503;
      ctx.type = 'text/plain';
      ctx.body = `This page has not been built yet. Run: npm run build\n${meanwhile}`;
      return;
    }
    const nonce = randomBytes(16).toString('base64');
    ctx.set({ ...PAGE_HEADERS, 'Content-Security-Policy': policy(nonce) });
    ctx.type = 'text/html';
    ctx.body = html.replaceAll(NONCE_PLACE, nonce);
  }

  function load(name: string): Promise<Asset | null> {
    // The names of built files are flat and plain, so that none leads out of the directory.
    const type = TYPES[/^[\w-]+(?:\.[\w-]+)*(\.\w+)$/.exec(name)?.[1] ?? ''];
    if (!type) return Promise.resolve(null);
    const loading = readFile(new URL(name, directory)).then((bytes) => pack(bytes, type), missing);
    assets.set(name, loading);
    // What was not there may be built later.
    void loading.then((asset) => asset ?? assets.delete(name));
    return loading;
  }
}

/** The page for who knows the address only: no script, no secret, nothing that has to be built. */
function showStart(ctx: Context, links: readonly Link[]): void {
  const nonce = randomBytes(16).toString('base64');
  ctx.set({ ...PAGE_HEADERS, 'Content-Security-Policy': policy(nonce) });
  ctx.type = 'text/html';
  const items = links.map(({ path, name }) => `<li><a href="${path}">${name}</a></li>`).join('\n');
  ctx.body = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Recado</title>
<style nonce="${nonce}">
body { font: 1.125rem/1.6 system-ui, sans-serif; max-width: 32rem; margin: 3rem auto; padding: 0 1rem; }
li { margin: 0.75rem 0; }
</style>
<main>
<h1>Recado</h1>
<p>The assistant runs. Open:</p>
<ul>
${items}
</ul>
</main>
</html>
`;
}

interface Asset {
  type: string;
  bytes: Buffer;
  brotli: Buffer;
}

/** Stands in the built pages for the nonce, see `vite.config.ts`. */
const NONCE_PLACE = 'NONCE_OF_THIS_RESPONSE';

const TYPES: Record<string, string> = {
  '.css': 'text/css; charset=utf-8',
  '.ico': 'image/x-icon',
  '.js': 'text/javascript; charset=utf-8',
  '.png': 'image/png',
  '.svg': 'image/svg+xml',
  '.woff2': 'font/woff2',
};

const PAGE_HEADERS = {
  'Cache-Control': 'no-store',
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Permissions-Policy': 'camera=(), geolocation=(self), microphone=(self)',
  'Referrer-Policy': 'no-referrer',
  'X-Content-Type-Options': 'nosniff',
  'X-Frame-Options': 'DENY',
};

/**
 * Nothing but our own files runs. Styles that the components make at run time carry the nonce; style attributes are set by
 * script, property by property, which no policy forbids, so that `unsafe-inline` is needed nowhere.
 */
function policy(nonce: string): string {
  return [
    "default-src 'none'",
    "script-src 'self'",
    `style-src 'self' 'nonce-${nonce}'`,
    "img-src 'self' data: blob:",
    "media-src 'self' blob:",
    "font-src 'self'",
    "connect-src 'self'",
    "form-action 'self'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
  ].join('; ');
}

/** The name changes with the content, so a browser may cache it forever. */
function sendAsset(ctx: Context, { type, bytes, brotli }: Asset): void {
  const packed = ctx.acceptsEncodings('br', 'identity') === 'br';
  ctx.set({
    'Cache-Control': 'public, max-age=31536000, immutable',
    'X-Content-Type-Options': 'nosniff',
    Vary: 'Accept-Encoding',
  });
  if (packed) ctx.set('Content-Encoding', 'br');
  ctx.type = type;
  ctx.body = packed ? brotli : bytes;
}

/** Packed once, when it is first asked for; quality 6 takes some 30 ms for the largest file and is near the best. */
async function pack(bytes: Buffer, type: string): Promise<Asset> {
  const brotli = await promisify(brotliCompress)(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: 6 } });
  return { type, bytes, brotli };
}

function missing(error: unknown): null {
  if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR')) return null;
  throw error;
}
