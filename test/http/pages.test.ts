import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { pathToFileURL } from 'node:url';
import { createPages } from '../../app/http/pages.ts';
import { createServer as createKoa } from '../../app/http/server.ts';
import { createLogger } from '../../app/ops/logger.ts';

const HTML = '<script type="module" src="/web/page-a1.js" nonce="NONCE_OF_THIS_RESPONSE"></script>';
const SCRIPT = `console.log(${JSON.stringify('x'.repeat(2_000))})`;

describe('the pages', () => {
  const folder = mkdtempSync(join(tmpdir(), 'recado-test-pages-'));
  let server: Server;
  let origin: string;

  before(async () => {
    writeFileSync(join(folder, 'page.html'), HTML);
    writeFileSync(join(folder, 'page-a1.js'), SCRIPT);
    writeFileSync(join(folder, 'secret.txt'), 'not a page');
    const log = createLogger({ level: 'error', format: 'json', write: () => {} });
    const pages = createPages({
      directory: pathToFileURL(`${folder}/`),
      pages: [
        { paths: ['/page', '/page/as/:who'], file: 'page.html' },
        { paths: ['/later'], file: 'later.html', meanwhile: 'Or use the terminal.' },
      ],
      links: [
        { path: '/page', name: 'The page' },
        { path: '/later', name: 'Later' },
      ],
    });
    server = createServer(createKoa({ routers: [pages], log, isStopping: () => false }).callback());
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`; // a TCP server's address
  });
  after(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    rmSync(folder, { recursive: true });
  });

  it('are shown with a policy that runs our own scripts only, and another nonce each time', async () => {
    const nonces = new Set<string>();
    for (const path of ['/page', '/page/as/15550100123']) {
      const response = await fetch(origin + path);
      assert.equal(response.status, 200);
      assert.match(response.headers.get('content-type') ?? '', /^text\/html/);
      assert.equal(response.headers.get('cache-control'), 'no-store');
      const policy = response.headers.get('content-security-policy') ?? '';
      assert.match(policy, /default-src 'none'; script-src 'self';/);
      assert.doesNotMatch(policy, /unsafe/);
      const [, nonce = ''] = /nonce="(.+?)"/.exec(await response.text()) ?? [];
      assert.ok(policy.includes(`'nonce-${nonce}'`));
      nonces.add(nonce);
    }
    assert.equal(nonces.size, 2);
  });

  it('are listed on a start page, which needs no script and no build', async () => {
    const response = await fetch(`${origin}/`);
    assert.equal(response.status, 200);
    assert.match(response.headers.get('content-type') ?? '', /^text\/html/);
    const html = await response.text();
    assert.deepEqual(
      [...html.matchAll(/<a href="(.+?)">(.+?)<\/a>/g)].map(([, path, name]) => [path, name]),
      [
        ['/page', 'The page'],
        ['/later', 'Later'],
      ],
    );
    const [, nonce = ''] = /<style nonce="(.+?)"/.exec(html) ?? [];
    assert.ok(response.headers.get('content-security-policy')?.includes(`'nonce-${nonce}'`));
  });

  it('load files that may be kept for good, packed for who can unpack them', async () => {
    const response = await fetch(`${origin}/web/page-a1.js`, { headers: { 'Accept-Encoding': 'br' } });
    assert.equal(response.headers.get('content-encoding'), 'br');
    assert.match(response.headers.get('cache-control') ?? '', /immutable/);
    assert.match(response.headers.get('content-type') ?? '', /^text\/javascript/);
    assert.equal(await response.text(), SCRIPT);
    const plain = await fetch(`${origin}/web/page-a1.js`, { headers: { 'Accept-Encoding': 'identity' } });
    assert.equal(plain.headers.get('content-encoding'), null);
    assert.equal(await plain.text(), SCRIPT);
  });

  for (const path of [
    '/web/../package.json',
    '/web/..%2f..%2fpackage.json',
    '/web/%2e%2e/x.js',
    '/web/secret.txt',
    '/web/none.js',
    '/web/page.html',
    '/web/',
  ])
    it(`gives nothing at ${path}`, async () => assert.equal(await statusOf(origin + path), 404));

  it('say how to build them while they are not there, and are there when they are', async () => {
    const response = await fetch(`${origin}/later`);
    assert.equal(response.status, 503);
    assert.match(await response.text(), /npm run build[\s\S]*terminal/);
    writeFileSync(join(folder, 'later.html'), HTML);
    assert.equal((await fetch(`${origin}/later`)).status, 200);
    assert.equal((await fetch(`${origin}/web/later-b2.js`)).status, 404);
    writeFileSync(join(folder, 'later-b2.js'), SCRIPT);
    assert.equal((await fetch(`${origin}/web/later-b2.js`)).status, 200);
  });
});

/** Asks for a path as it is, dots and all. */
function statusOf(url: string): Promise<number | undefined> {
  const { hostname, port } = new URL(url);
  const path = url.slice(`http://${hostname}:${port}`.length);
  return new Promise((resolve, reject) => {
    request({ hostname, port, path }, (response) => {
      response.resume();
      resolve(response.statusCode);
    })
      .once('error', reject)
      .end();
  });
}
