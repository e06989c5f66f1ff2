/**
 * The proxy configurations of docs/operations.md, as they stand there, in front of the running bot: a signed webhook is accepted, a
 * wrong one refused, and live changes of the inbox arrive at once.
 */
import assert from 'node:assert/strict';
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, request as httpRequest, type Server } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { AUTH_TOKEN, type Bot, type Doubles, eventually, startBot, startDoubles } from '../support/bot.ts';
import { freePort } from '../support/ports.ts';
import { signedForm, textMessage } from '../support/webhook.ts';

const DOCS = readFileSync(new URL('../../docs/operations.md', import.meta.url), 'utf8');
const API_KEY = 'a-key-of-a-test-0123456789abcdef';
const NGINX = ['/usr/sbin/nginx', '/usr/bin/nginx'].find((path) => existsSync(path));
const CADDY = ['/usr/bin/caddy', '/usr/local/bin/caddy'].find((path) => existsSync(path));

/** The first block of a language below a heading. */
function snippet(heading: string, language: string): string {
  const chapter = DOCS.slice(DOCS.indexOf(`### ${heading}\n`));
  return (
    new RegExp(`\`\`\`${language}\\n([\\s\\S]*?)\`\`\``).exec(chapter)?.[1] ??
    assert.fail(`no ${language} in ${heading}`)
  );
}

let doubles: Doubles;
let folder: string;
const cleanups: (() => Promise<unknown> | unknown)[] = [];

before(async () => {
  doubles = await startDoubles();
  folder = mkdtempSync(join(tmpdir(), 'recado-proxies-'));
  chmodSync(folder, 0o755);
});
after(async () => {
  for (const cleanup of cleanups.reverse()) await cleanup();
  rmSync(folder, { recursive: true, force: true });
  await doubles.stop();
});

async function bot(environment: Record<string, string>): Promise<Bot> {
  const started = await startBot(doubles, { API_KEYS: API_KEY, ...environment });
  cleanups.push(() => started.stop());
  return started;
}

function run(command: string, args: string[], env: NodeJS.ProcessEnv = {}): ChildProcess {
  const child = spawn(command, args, { stdio: 'ignore', env: { PATH: process.env.PATH, HOME: folder, ...env } });
  cleanups.push(() => {
    child.kill('SIGKILL');
    return new Promise((resolve) =>
      child.exitCode === null && child.signalCode === null ? child.once('exit', resolve) : resolve(null),
    );
  });
  return child;
}

async function startNginx(server: string): Promise<void> {
  const name = join(folder, `nginx-${cleanups.length}`);
  const temp = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
    .map((one) => `${one}_temp_path ${name}-${one};`)
    .join(' ');
  writeFileSync(
    `${name}.conf`,
    `daemon off; pid ${name}.pid; error_log ${name}.log; events {}\nhttp { access_log off; ${temp}\n${server}\n}`,
  );
  run(NGINX ?? '', ['-c', `${name}.conf`, '-g', 'user root;']);
}

interface Called {
  port: number;
  secure?: boolean;
  host?: string;
  path?: string;
}

/** Posts a webhook that was signed for `signedUrl`. */
function post(to: Called, signedUrl: string, body = 'hello'): Promise<{ status: number; text: string }> {
  const form = signedForm(AUTH_TOKEN, signedUrl, textMessage({ Body: body }));
  return new Promise((resolve, reject) => {
    const options = {
      ...{ host: '127.0.0.1', port: to.port, path: to.path ?? '/whatsapp', method: 'POST', rejectUnauthorized: false },
      headers: { ...form.headers, Host: to.host ?? 'bot.example.com' },
    };
    const sent = (to.secure ? httpsRequest : httpRequest)(options, (response) => {
      let text = '';
      response.on('data', (chunk) => {
        text += chunk;
      });
      response.on('end', () => resolve({ status: response.statusCode ?? 0, text }));
    });
    sent.on('error', reject);
    sent.end(form.body);
  });
}

async function isReached(to: Called, signedUrl: string): Promise<void> {
  await eventually('the proxy listens', () =>
    post(to, signedUrl).then(
      ({ status }) => status !== 502,
      () => false,
    ),
  );
  const good = await post(to, signedUrl, 'through the proxy');
  assert.equal(good.status, 200, good.text);
  assert.match(good.text, /through the proxy/);
  assert.equal((await post(to, 'https://another.example.com/whatsapp')).status, 403);
}

/** The stream of live changes begins at once: nothing buffers it. */
function streams({ port, secure, host = 'bot.example.com' }: Called): Promise<string> {
  return new Promise((resolve, reject) => {
    const options = {
      ...{ host: '127.0.0.1', port, path: '/api/whatsapp/events', rejectUnauthorized: false },
      headers: { Host: host, 'x-api-key': API_KEY },
    };
    const asked = (secure ? httpsRequest : httpRequest)(options, (response) => {
      let text = '';
      response.on('data', (chunk) => {
        text += chunk;
        if (!text.includes('ready')) return;
        resolve(text);
        asked.destroy();
      });
    });
    asked.on('error', reject);
    asked.setTimeout(30_000, () => asked.destroy(new Error('no event came through')));
    asked.end();
  });
}

describe('behind nginx', { skip: NGINX ? false : 'nginx is not installed' }, () => {
  test('with TLS: by PUBLIC_URL, or by the headers that nginx sets', async () => {
    execFileSync(
      'openssl',
      [
        ...['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '1', '-subj', '/CN=bot.example.com'],
        ...['-keyout', join(folder, 'bot.key'), '-out', join(folder, 'bot.pem')],
      ],
      { stdio: 'ignore' },
    );
    for (const settings of [{ PUBLIC_URL: 'https://bot.example.com' }, { TRUST_PROXY: 'true' }]) {
      const behind = await bot(settings);
      const port = await freePort();
      const server = snippet('nginx', 'nginx')
        .replace('listen 443 ssl', `listen 127.0.0.1:${port} ssl`)
        .replaceAll('/etc/ssl', folder)
        .replace('http://127.0.0.1:3002', behind.url);
      await startNginx(server);
      const to = { port, secure: true };
      await isReached(to, 'https://bot.example.com/whatsapp');
      assert.match(await streams(to), /ready/);
    }
  });

  test('below a base path', async () => {
    const behind = await bot({ PUBLIC_URL: 'https://example.com/bot' });
    const port = await freePort();
    const server = `server { listen 127.0.0.1:${port}; location /bot/ { proxy_pass ${behind.url}/; } }`;
    await startNginx(server);
    await isReached({ port, path: '/bot/whatsapp' }, 'https://example.com/bot/whatsapp');
  });

  test('as a load balancer in front of two processes', async () => {
    const settings = { PUBLIC_URL: 'https://bot.example.com' };
    const [one, two] = [await bot(settings), await bot(settings)];
    const port = await freePort();
    const server = snippet('A load balancer', 'nginx')
      .replace('127.0.0.1:3002', one.url.replace('http://', ''))
      .replace('127.0.0.1:3003', two.url.replace('http://', ''))
      .replace('listen 80', `listen 127.0.0.1:${port}`);
    await startNginx(server);
    await isReached({ port }, 'https://bot.example.com/whatsapp');
    for (let i = 0; i < 6; i++) await post({ port }, 'https://bot.example.com/whatsapp', `balanced ${i}`);
    for (const process of [one, two])
      assert.ok(
        process.logs.some((line) => line.includes('"message":"Answered"')),
        'both processes answered',
      );
    assert.match(await streams({ port }), /ready/);
  });
});

test('behind Caddy', { skip: CADDY ? false : 'Caddy is not installed' }, async () => {
  const behind = await bot({ PUBLIC_URL: 'https://bot.example.com' });
  const port = await freePort();
  const site = snippet('Caddy', 'caddy')
    .replace('bot.example.com', `http://bot.example.com:${port}`)
    .replace('127.0.0.1:3002', behind.url.replace('http://', ''));
  // No certificates from elsewhere, no administration port: the rest is as documented.
  writeFileSync(join(folder, 'Caddyfile'), `{\n  admin off\n  auto_https off\n}\n${site}`);
  run(CADDY ?? '', ['run', '--config', join(folder, 'Caddyfile'), '--adapter', 'caddyfile'], {
    XDG_DATA_HOME: folder,
    XDG_CONFIG_HOME: folder,
  });
  const to = { port, host: `bot.example.com:${port}` };
  await isReached(to, 'https://bot.example.com/whatsapp');
  assert.match(await streams(to), /ready/);
});

test('behind a tunnel, which calls under another host name', async () => {
  const behind = await bot({ PUBLIC_URL: 'https://random-words.tunnel.example' });
  const { port: target } = new URL(behind.url);
  const tunnel: Server = createServer((incoming, outgoing) => {
    const headers = { ...incoming.headers, host: 'localhost:3002', 'x-forwarded-proto': 'http' };
    const forwarded = httpRequest(
      { host: '127.0.0.1', port: target, path: incoming.url, method: incoming.method, headers },
      (response) => {
        outgoing.writeHead(response.statusCode ?? 502, response.headers);
        response.pipe(outgoing);
      },
    );
    incoming.pipe(forwarded);
  });
  await new Promise<void>((resolve) => tunnel.listen(0, '127.0.0.1', resolve));
  cleanups.push(() => new Promise((resolve) => tunnel.close(resolve)));
  const { port } = tunnel.address() as AddressInfo; // a TCP server has an address of this shape
  await isReached({ port, host: 'random-words.tunnel.example' }, 'https://random-words.tunnel.example/whatsapp');
});
