import assert from 'node:assert/strict';
import { createServer as createHttpServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, test } from 'node:test';
import Router from '@koa/router';
import type { Middleware } from 'koa';
import { createServer } from '../../app/http/server.ts';
import { type AuthOptions, createAuth, type Sessions } from '../../app/inbox/auth.ts';
import { createLogger } from '../../app/ops/logger.ts';

const PASSWORD = 'correct horse battery staple';
const servers: Server[] = [];

after(() => {
  for (const server of servers) {
    server.closeAllConnections();
    server.close();
  }
});

const opened = new Set<string>();
/** What Redis is for the processes. */
const SHARED: Sessions = {
  begin: async (id) => void opened.add(id),
  isOpen: async (id) => opened.has(id),
  end: async (id) => void opened.delete(id),
};
const warnings: string[] = [];

/** A server whose one guarded address tells a secret and takes orders. */
async function open(options: Partial<AuthOptions> = {}, slowly: Middleware = (_, next) => next()) {
  const auth = createAuth({
    password: PASSWORD,
    apiKeys: ['key-of-a-program', 'another-key'],
    publicUrl: undefined,
    trustProxy: false,
    now: Date.now,
    sessions: SHARED,
    log: { warn: (message) => warnings.push(message) },
    ...options,
  });
  const guarded = new Router();
  guarded.all('/secret', auth.guard, slowly, (ctx) => {
    ctx.body = 'the secret';
  });
  const log = createLogger({ level: 'error', format: 'json', write: () => {} });
  const koa = createServer({ routers: [auth.router, guarded], log, isStopping: () => false });
  const server = createHttpServer(koa.callback());
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`; // a TCP server has an address of this shape
  const post = (body: string, headers: Record<string, string>) =>
    fetch(`${url}/api/session`, { method: 'POST', body, headers });
  return {
    post,
    signIn: (password: unknown, headers: Record<string, string> = {}) =>
      post(JSON.stringify({ password }), { 'Content-Type': 'application/json', ...headers }),
    session: (cookie: string, method = 'GET') => fetch(`${url}/api/session`, { method, headers: { cookie } }),
    secret: (headers: Record<string, string> = {}, method = 'GET') => fetch(`${url}/secret`, { method, headers }),
  };
}

function cookieOf(response: Response): string {
  return response.headers.getSetCookie()[0]?.split(';')[0] ?? '';
}

async function csrfOf(response: Response): Promise<string> {
  const { csrf } = (await response.json()) as { csrf: string };
  return csrf;
}

async function refusal(response: Response): Promise<[number, string]> {
  const { success, code } = (await response.json()) as { success: boolean; code: string };
  assert.equal(success, false);
  return [response.status, code];
}

test('answers nobody without a password or a key', async () => {
  const { secret, session } = await open();
  assert.deepEqual(await refusal(await secret()), [401, 'request.unauthorized']);
  assert.deepEqual(await refusal(await secret({}, 'POST')), [401, 'request.unauthorized']);
  assert.deepEqual(await (await session('')).json(), { success: true, csrf: null });
});

test('the right password opens a session that no script and no strange site can use', async () => {
  const { signIn, secret, session } = await open();
  const signedIn = await signIn(PASSWORD);
  assert.equal(signedIn.status, 200);
  assert.equal(signedIn.headers.get('cache-control'), 'no-store');
  const [cookie = ''] = signedIn.headers.getSetCookie();
  assert.match(cookie, /; httponly/i);
  assert.match(cookie, /; samesite=strict/i);
  assert.match(cookie, /; path=\//i);
  assert.doesNotMatch(cookie, /; secure/i, 'over plain http a secure cookie would not come back');
  assert.equal(await (await secret({ cookie: cookieOf(signedIn) })).text(), 'the secret');
  assert.equal(await csrfOf(await session(cookieOf(signedIn))), await csrfOf(signedIn));
});

test('a wrong password, and what is none, opens nothing', async () => {
  const { signIn, post } = await open();
  for (const wrong of ['correct horse', '', ' ', null, 7, { $ne: null }, [PASSWORD], `${PASSWORD} `]) {
    const response = await signIn(wrong);
    assert.deepEqual(await refusal(response), [401, 'request.unauthorized'], JSON.stringify(wrong));
    assert.deepEqual(response.headers.getSetCookie(), []);
  }
  const asForm = await post(`password=${PASSWORD}`, { 'Content-Type': 'application/x-www-form-urlencoded' });
  assert.equal(asForm.status, 401, 'a form of a strange site is no sign-in');
});

test('whoever guesses is stopped, also with the right password at last, and told for how long', async () => {
  const { signIn } = await open({ attempts: 3 });
  for (let tries = 0; tries < 3; tries++) assert.equal((await signIn(`guess ${tries}`)).status, 401);
  const stopped = await signIn(PASSWORD);
  assert.deepEqual(await refusal(stopped), [429, 'request.too_many']);
  const seconds = Number(stopped.headers.get('retry-after'));
  assert.ok(seconds > 0 && seconds <= 900, `${seconds}`);
});

test('guesses at the same moment are all counted', async () => {
  const { signIn } = await open({ attempts: 3 });
  const answers = await Promise.all(Array.from({ length: 12 }, (_, n) => signIn(`guess ${n}`)));
  assert.equal(answers.filter(({ status }) => status === 401).length, 3);
});

test('a successful sign-in forgets the mistakes before it', async () => {
  const { signIn } = await open({ attempts: 3 });
  for (let rounds = 0; rounds < 3; rounds++) {
    await signIn('a slip');
    await signIn('another');
    assert.equal((await signIn(PASSWORD)).status, 200);
  }
});

test('one address that guesses does not keep the others out', async () => {
  const { signIn } = await open({ attempts: 2, trustProxy: true });
  const from = (address: string) => ({ 'X-Forwarded-For': address });
  for (let tries = 0; tries < 60; tries++) await signIn('guess', from('203.0.113.7'));
  assert.equal((await signIn(PASSWORD, from('203.0.113.7'))).status, 429);
  assert.equal((await signIn(PASSWORD, from('203.0.113.8'))).status, 200);
});

test('guesses from very many addresses are stopped together', async () => {
  const { signIn } = await open({ attempts: 1, trustProxy: true });
  for (let n = 0; n < 20; n++) await signIn('guess', { 'X-Forwarded-For': `203.0.113.${n}` });
  assert.equal((await signIn('guess', { 'X-Forwarded-For': '203.0.113.99' })).status, 429);
});

test('addresses are not taken from whoever makes them up', async () => {
  const spoofed = (n: number) => ({ 'X-Forwarded-For': `203.0.113.${n}` });
  const alone = await open({ attempts: 2 });
  for (let n = 0; n < 2; n++) await alone.signIn('guess', spoofed(n));
  assert.equal((await alone.signIn('guess', spoofed(9))).status, 429, 'without a proxy the header says nothing');

  const behindProxy = await open({ attempts: 2, trustProxy: true });
  for (let n = 0; n < 2; n++) {
    await behindProxy.signIn('guess', { 'X-Forwarded-For': `198.51.100.${n}, 203.0.113.7` });
  }
  const more = await behindProxy.signIn('guess', { 'X-Forwarded-For': '198.51.100.9, 203.0.113.7' });
  assert.equal(more.status, 429, 'only what the proxy itself added counts');

  const overIpv6 = await open({ attempts: 2, trustProxy: true });
  await overIpv6.signIn('guess', { 'X-Forwarded-For': '2001:db8::1' });
  await overIpv6.signIn('guess', { 'X-Forwarded-For': '2001:db8:0:0:a::2' });
  assert.equal((await overIpv6.signIn('guess', { 'X-Forwarded-For': '2001:db8::b:c:d:3' })).status, 429);
  assert.equal((await overIpv6.signIn(PASSWORD, { 'X-Forwarded-For': '2001:db8:0:1::1' })).status, 200);
});

test('what changes something needs the token of its session beside the cookie', async () => {
  const { signIn, secret } = await open();
  const signedIn = await signIn(PASSWORD);
  const cookie = cookieOf(signedIn);
  const other = await csrfOf(await signIn(PASSWORD));
  assert.deepEqual(await refusal(await secret({ cookie }, 'POST')), [403, 'request.forbidden']);
  assert.deepEqual(await refusal(await secret({ cookie, 'x-csrf-token': other }, 'POST')), [403, 'request.forbidden']);
  const headers = { cookie, 'x-csrf-token': await csrfOf(signedIn) };
  for (const method of ['POST', 'PUT', 'PATCH', 'DELETE']) assert.equal((await secret(headers, method)).status, 200);
});

test('programs come in with one of the keys, and need nothing else', async () => {
  const { secret } = await open();
  assert.equal((await secret({ 'x-api-key': 'key-of-a-program' }, 'POST')).status, 200);
  assert.equal((await secret({ 'x-api-key': 'another-key' })).status, 200);
  assert.equal((await secret({ authorization: 'Bearer another-key' })).status, 200);
  assert.deepEqual(await refusal(await secret({ authorization: 'Bearer wrong' })), [401, 'request.unauthorized']);
  for (const wrong of ['key-of-a-progra', 'key-of-a-program,another-key', PASSWORD]) {
    assert.deepEqual(await refusal(await secret({ 'x-api-key': wrong })), [401, 'request.unauthorized']);
  }
});

test('without keys in the settings no key opens anything', async () => {
  const { secret } = await open({ apiKeys: [] });
  for (const key of ['', ' ', 'undefined', 'key-of-a-program']) {
    assert.equal((await secret({ 'x-api-key': key })).status, 401);
  }
});

test('a cookie that was made up or changed opens nothing', async () => {
  const { signIn, secret } = await open();
  const [name, value = ''] = cookieOf(await signIn(PASSWORD)).split('=');
  const [expires, id, signature] = value.split('.');
  const longer = String(Number(expires) + 1);
  for (const changed of [`${longer}.${id}.${signature}`, `${expires}.x.${signature}`, `${expires}.${id}.`, '..', 'x']) {
    assert.equal((await secret({ cookie: `${name}=${changed}` })).status, 401, changed);
  }
});

test('a session ends after 12 hours, at the sign-out, and with another password', async () => {
  let now = Date.parse('2026-11-23T08:00:00Z');
  const { signIn, secret, session } = await open({ now: () => now });
  const first = cookieOf(await signIn(PASSWORD));
  now += 12 * 3_600_000 - 1;
  assert.equal((await secret({ cookie: first })).status, 200);
  now += 1;
  assert.equal((await secret({ cookie: first })).status, 401);

  const second = cookieOf(await signIn(PASSWORD));
  const signedOut = await session(second, 'DELETE');
  assert.equal(signedOut.status, 200);
  assert.match(signedOut.headers.getSetCookie()[0] ?? '', /^recado_session=; .*expires=Thu, 01 Jan 1970/i);
  assert.equal((await secret({ cookie: second })).status, 401, 'not even to whoever kept a copy of the cookie');

  const third = cookieOf(await signIn(PASSWORD));
  const sameSettings = await open({ now: () => now });
  assert.equal((await sameSettings.secret({ cookie: third })).status, 200, 'another process knows the session');
  const otherPassword = await open({ now: () => now, password: 'changed' });
  assert.equal((await otherPassword.secret({ cookie: third })).status, 401);
});

test('a new sign-in ends the session before it', async () => {
  const { signIn, secret } = await open();
  const before = cookieOf(await signIn(PASSWORD));
  const now = cookieOf(await signIn(PASSWORD, { cookie: before }));
  assert.notEqual(before, now);
  assert.equal((await secret({ cookie: before })).status, 401);
  assert.equal((await secret({ cookie: now })).status, 200);
});

test('behind https the cookie never travels in the clear', async () => {
  const secure = (response: Response) => /; secure/i.test(response.headers.getSetCookie()[0] ?? '');
  const known = await open({ publicUrl: 'https://bot.example.com' });
  const signedIn = await known.signIn(PASSWORD);
  assert.ok(secure(signedIn));
  assert.ok(secure(await known.session(cookieOf(signedIn), 'DELETE')));
  const proxied = await open({ trustProxy: true });
  assert.ok(secure(await proxied.signIn(PASSWORD, { 'X-Forwarded-Proto': 'https' })));
  assert.ok(!secure(await proxied.signIn(PASSWORD, { 'X-Forwarded-Proto': 'http' })));
  const untrusted = await open();
  assert.ok(!secure(await untrusted.signIn(PASSWORD, { 'X-Forwarded-Proto': 'https' })));
});

test('a sign-out holds in every process, and for a copy of the cookie', async () => {
  const here = await open();
  const elsewhere = await open();
  const cookie = cookieOf(await here.signIn(PASSWORD));
  assert.equal((await elsewhere.secret({ cookie })).status, 200);
  await elsewhere.session(cookie, 'DELETE');
  assert.equal((await here.secret({ cookie })).status, 401);
  assert.equal((await (await open()).secret({ cookie })).status, 401, 'a process that started after it');
});

test('a browser that was signed in before is not kept out by the guesses of others behind the same proxy', async () => {
  const { signIn } = await open({ attempts: 2 });
  const device = (await signIn(PASSWORD)).headers.getSetCookie()[1]?.split(';')[0] ?? '';
  assert.match(device, /^recado_device=/);
  for (let n = 0; n < 5; n++) await signIn('guess');
  assert.equal((await signIn(PASSWORD)).status, 429);
  assert.equal((await signIn(PASSWORD, { cookie: device })).status, 200);
  for (let n = 0; n < 2; n++) await signIn('guess', { cookie: device });
  assert.equal((await signIn('guess', { cookie: device })).status, 429, 'it may not guess more than others');
  assert.equal((await signIn('guess', { cookie: 'recado_device=x.y' })).status, 429, 'one that was made up is nothing');
});

test('posts from other sites are refused, and do not count', async () => {
  const { signIn } = await open({ attempts: 2, publicUrl: 'https://bot.example.com' });
  for (let n = 0; n < 5; n++) {
    assert.equal((await signIn(PASSWORD, { Origin: 'https://evil.example' })).status, 403);
    assert.equal((await signIn(PASSWORD, { 'Sec-Fetch-Site': 'cross-site' })).status, 403);
  }
  assert.equal((await signIn(PASSWORD, { Origin: 'https://bot.example.com' })).status, 200);
  assert.equal((await signIn(PASSWORD, { Origin: 'null', 'Sec-Fetch-Site': 'same-origin' })).status, 200);
});

test('whoever guesses keys is stopped and logged; a right key always opens', async () => {
  const { secret } = await open({ attempts: 3 });
  warnings.length = 0;
  const answers = [];
  for (let n = 0; n < 40; n++) answers.push((await secret({ 'x-api-key': `guess ${n}` })).status);
  assert.deepEqual(answers, [...Array(9).fill(401), ...Array(31).fill(429)]);
  assert.equal(warnings.length, 9);
  assert.equal((await secret({ 'x-api-key': 'key-of-a-program' })).status, 200);
});

test('what is refused is not kept by a cache; over https the browser stays with https', async () => {
  const { secret, signIn } = await open({ publicUrl: 'https://bot.example.com' });
  assert.equal((await secret()).headers.get('cache-control'), 'no-store');
  const signedIn = await signIn(PASSWORD);
  assert.match(signedIn.headers.get('strict-transport-security') ?? '', /^max-age=\d{8}$/);
  assert.match(signedIn.headers.getSetCookie()[0] ?? '', /^__Host-recado_session=/);
  assert.equal((await secret({ cookie: cookieOf(signedIn) })).status, 200);
});

test('of one key so many questions are worked at together; the others wait, and other callers do not', async () => {
  let inside = 0;
  let most = 0;
  const slow = async (_: unknown, next: () => Promise<unknown>) => {
    most = Math.max(most, ++inside);
    await new Promise((resolve) => setTimeout(resolve, 50));
    await next();
    inside--;
  };
  const { secret } = await open({}, slow);
  const answers = await Promise.all(Array.from({ length: 12 }, () => secret({ 'x-api-key': 'key-of-a-program' })));
  assert.deepEqual([...new Set(answers.map(({ status }) => status))], [200]);
  assert.equal(most, 4);
  most = 0;
  const keys = ['key-of-a-program', 'another-key'];
  await Promise.all(Array.from({ length: 12 }, (_, n) => secret({ 'x-api-key': keys[n % 2] ?? '' })));
  assert.ok(most > 4, `${most}`);
  most = 0;
  await Promise.all(Array.from({ length: 12 }, () => secret({ 'x-api-key': 'another-key' }, 'POST')));
  assert.ok(most > 4, 'what changes something does not wait');
});
